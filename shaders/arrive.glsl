// Of the workgroups that share a counter, all but the last to get here end; it sees what the others have left. None waits.
memoryBarrierBuffer();
barrier();
if (gl_LocalInvocationIndex == 0u) {
  memoryBarrierBuffer();
  arrived = atomicAdd(counters.e[${counter}], 1u);
  memoryBarrierBuffer();
}
barrier();
if (arrived != ${workgroups}u - 1u) return;
memoryBarrierBuffer();

// In place: when an output of a run may be written over an input of the same run, so that state needs one buffer, not two.
#pragma once

#include "plan/plan.h"

namespace tuff {

// Does no kernel read an element of the input after one has written it as the output's? All that read the input run before
// all that write the output, or are the one that does and reads each element where it writes it (Kernel::in_place). Both have
// one dtype and shape, and one storage order.
bool can_be_in_place(const Plan& plan, const InPlace& state);

}  // namespace tuff

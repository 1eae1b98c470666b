// In place: when an output of a run may be written over an input of the same run, so that state needs one buffer, not two.
#pragma once

#include "plan/plan.h"

namespace tuff {

// Does no kernel read an element of the input after one has written it as the output's? All that read the input run before
// all that write the output, or are the one that does and reads each element where it writes it (Kernel::in_place). Both have
// one dtype and shape, and one storage order.
// State that grows: is the output the input with more behind it, along its outermost axis, so that what was there stays where
// it is? Then no kernel need copy it, and none may do so together with something else, or read the input where it writes the
// rest.
bool can_be_in_place(const Plan& plan, const InPlace& state);

// Does the step only copy the input of such state into its output? In place it does not run.
bool copies_old_part(const Plan& plan, const InPlace& state, const Step& step);

}  // namespace tuff

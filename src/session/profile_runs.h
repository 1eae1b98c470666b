// The runs of a profile: what a session's own run is recorded from, recorded once more, with a clock.
#pragma once

#include "backend/backend.h"
#include "session/profile.h"

namespace tuff {

struct ProfiledRuns {
  Profile profile;
  std::shared_ptr<Recording> last;  // of the last run, which has ended
};

// `desc` is of the bound plan of `plan`. By the device's timestamps; where it has none, or options.host_clock says so, each
// dispatch is recorded as a submit of its own and timed from before it to the end of waiting for it.
Result<ProfiledRuns> profile_runs(Device& device, const Plan& plan, RecordDesc desc, const ProfileOptions& options);

}  // namespace tuff

// tuff devices: what is in this machine. Drivers are asked in a child process, since one that crashes or hangs takes its
// process along; then the list is a sentence.
#include <cstdio>
#include <string>

#include "cli/child.h"
#include "cli/json.h"
#include "cli/target_options.h"

namespace tuff::cli {
namespace {

constexpr int64_t kLimitS = 60;  // loading every driver takes seconds on a slow machine

const char* kind_name(tuff_device_kind_t kind) {
  switch (kind) {
    case TUFF_DEVICE_INTEGRATED: return "integrated";
    case TUFF_DEVICE_DISCRETE: return "discrete";
    case TUFF_DEVICE_VIRTUAL: return "virtual";
    case TUFF_DEVICE_SOFTWARE: return "software";
    default: return "other";
  }
}

void print_json(const DeviceList& list) {
  Json json;
  json.open('{').key("devices").open('[');
  int64_t index = 0;
  for (const DeviceEntry& d : list.devices) {
    json.open('{');
    json.key("index").integer(index++).key("name").string(d.name).key("driver").string(d.driver);
    json.key("kind").string(kind_name(d.info.kind)).key("uuid").string(d.uuid);
    json.key("memory_bytes").integer(static_cast<int64_t>(d.info.memory_bytes));
    json.key("unified_memory").boolean(d.info.unified_memory != 0);
    json.close('}');
  }
  json.close(']').key("reason").string(list.reason).close('}');
  std::printf("%s\n", json.text().c_str());
}

void print_table(const DeviceList& list) {
  size_t index = 0;
  for (const DeviceEntry& d : list.devices) {
    std::printf("%zu  %s\n   %s, %s, %.1f GiB%s, UUID %s\n", index++, d.name.c_str(), kind_name(d.info.kind), d.driver.c_str(),
                static_cast<double>(d.info.memory_bytes) / 1073741824.0, d.info.unified_memory ? " unified" : "",
                d.uuid.c_str());
  }
  if (!list.reason.empty()) std::printf("%s\n", list.reason.c_str());
}

// The part that talks to drivers.
int probe(const Arguments& arguments) {
  Result<DeviceList> list = DeviceList::create();
  if (!list) return exit_for(list.error());
  if (arguments.has("--text")) {
    Result<int64_t> index = arguments.integer("--text", 0, 0, static_cast<int64_t>(list->devices.size()) - 1);
    if (!index) return exit_for(index.error());
    std::fputs(list->devices[static_cast<size_t>(*index)].text.c_str(), stdout);
  } else if (arguments.has("--json")) {
    print_json(*list);
  } else {
    print_table(*list);
  }
  return kExitOk;
}

int devices(const Arguments& arguments) {
  if (!arguments.positional().empty()) return usage_error("'tuff devices' takes no model.");
  if (arguments.has("--in-process")) return probe(arguments);
  std::vector<std::string> words;
  if (arguments.has("--json")) words.push_back("--json");
  if (arguments.has("--text")) words.push_back("--text=" + std::string(arguments.value("--text")));
  return run_in_child(arguments, "devices", words, kLimitS);
}

}  // namespace

const Verb kDevicesVerb = {
    "devices",
    "[--text INDEX] [--json]",
    "list the devices of this machine",
    "  tuff devices\n"
    "  tuff devices --text 0 > gpu.txt\n",
    join({{{"--text", nullptr, "INDEX", "everything that the stages may know of one device; --as reads it back"},
           {"--json", nullptr, nullptr, "one JSON object"}},
          child_options()}),
    devices};

}  // namespace tuff::cli

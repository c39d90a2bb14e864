#include "tests/performance/steps/workloads.hpp"

#include "runtime/readers/json.hpp"
#include "runtime/readers/npy.hpp"
#include "tests/performance/steps/models.hpp"
#include "tests/performance/steps/synthetic.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <stdexcept>

namespace plait::performance {
namespace {

template <class Scalar>
HandStep stepper(std::unique_ptr<Baseline<Scalar>> baseline, double learning_rate) {
  return [shared = std::shared_ptr<Baseline<Scalar>>(std::move(baseline)),
          learning_rate](std::uint32_t step) { return shared->step(step, learning_rate); };
}

runtime::Array read_array(const std::string& path) {
  return runtime::read_npy(runtime::MappedFile::open(path));
}

template <class To>
std::vector<To> numbers(const runtime::Array& array) {
  std::vector<double> values(static_cast<std::size_t>(array.size()));
  array.read(0, array.size(), values.data());
  return {values.begin(), values.end()};
}

template <class From>
std::vector<double> doubles(const std::vector<From>& values) {
  return {values.begin(), values.end()};
}

std::int64_t length(const std::vector<std::uint8_t>& values) {
  return static_cast<std::int64_t>(values.size());
}

void fill_coin(Workload& workload, const std::string& folder) {
  workload.shape = "10 flips";
  workload.data.add_argument(folder + "/data.json");
  const std::vector<std::uint8_t> flips{1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
  workload.make_step = [=, rate = workload.options.learning_rate, seed = workload.options.seed](int) {
    return stepper(make_coin(flips, seed), rate);
  };
}

void fill_eight_schools(Workload& workload, const std::string& folder) {
  workload.shape = "8 schools";
  workload.data.add_argument(folder + "/data.json");
  workload.make_step = [rate = workload.options.learning_rate, seed = workload.options.seed](int) {
    return stepper(make_eight_schools(school_effects(), school_errors(), seed), rate);
  };
}

void fill_flights(Workload& workload, const std::string& folder) {
  workload.shape = "1,024 of 200,000 rows, D = 8, f32 features, flights";
  workload.data.add_argument("x=" + folder + "/flights_x.npy,scale=32");
  workload.data.add_argument("late=" + folder + "/flights_late.npy");
  LogisticData<float> data;
  data.x = numbers<float>(read_array(folder + "/flights_x.npy"));
  for (float& x : data.x)
    x /= 32;
  data.late = numbers<std::uint8_t>(read_array(folder + "/flights_late.npy"));
  workload.make_step = [data = std::move(data), rate = workload.options.learning_rate,
                        seed = workload.options.seed](int) {
    return stepper(make_logistic(data, 1024, seed), rate);
  };
  // Inner products are sums of floats in both, in different orders.
  workload.tolerance = 1e-5;
}

void fill_wide_logistic(Workload& workload) {
  workload.shape = "1,024 of 200,000 rows, D = 64, f64 features, synthetic";
  LogisticData<double> data = synthetic_logistic<double>(200000, 64);
  workload.data.set("x", {length(data.late), 64}, data.x);
  workload.data.set("late", {length(data.late)}, doubles(data.late));
  workload.make_step = [data = std::move(data), rate = workload.options.learning_rate,
                        seed = workload.options.seed](int) {
    return stepper(make_logistic(data, 1024, seed), rate);
  };
}

void fill_radon(Workload& workload, const std::string& file) {
  RadonData data;
  if (std::filesystem::exists(file)) {
    const runtime::JsonFile json(runtime::MappedFile::open(file));
    data.y = numbers<double>(json.read("log_radon").values);
    data.county = numbers<std::int32_t>(json.read("county_idx").values);
    for (std::int32_t& county : data.county) {
      --county;
      data.counties = std::max(data.counties, static_cast<std::size_t>(county) + 1);
    }
    for (const double measure : numbers<double>(json.read("floor_measure").values))
      data.floor.push_back(measure > 0);
    workload.shape = fmt::format("512 of {} houses, {} counties, posteriordb", data.y.size(), data.counties);
  } else {
    data = synthetic_radon(12573, 386);
    workload.shape = "512 of 12573 houses, 386 counties, synthetic";
  }
  const auto rows = static_cast<std::int64_t>(data.y.size());
  std::vector<double> county = doubles(data.county);
  for (double& number : county)
    number += 1; // the model file counts from 1
  workload.data.set("y", {rows}, data.y);
  workload.data.set("floor", {rows}, data.floor);
  workload.data.set("county", {rows}, std::move(county));
  workload.options.compile.set["J"] = static_cast<double>(data.counties);
  workload.make_step = [data = std::move(data), rate = workload.options.learning_rate,
                        seed = workload.options.seed](int) {
    return stepper(make_radon(data, 512, seed), rate);
  };
}

void fill_vae(Workload& workload, const std::string& file) {
  constexpr std::int64_t pixels = 784;
  std::vector<std::uint8_t> images;
  if (std::filesystem::exists(file)) {
    workload.data.add_argument("image=" + file + ",threshold=127");
    const runtime::Array array = read_array(file);
    const auto* const bytes = static_cast<const std::uint8_t*>(array.data);
    for (std::int64_t k = 0; k < array.size(); ++k)
      images.push_back(bytes[k] > 127);
    workload.shape = fmt::format("784-400-50, 256 of {} images, f32, MNIST", array.size() / pixels);
  } else {
    images = synthetic_images(20000, pixels);
    workload.data.set("image", {length(images) / pixels, pixels}, doubles(images));
    workload.shape = "784-400-50, 256 of 20000 images, f32, synthetic bits";
  }
  workload.options.compile.set["D"] = pixels;
  workload.options.learning_rate = 1e-3;
  workload.tolerance = 2e-4;
  workload.make_step = [images = std::move(images), rate = workload.options.learning_rate,
                        seed = workload.options.seed](int threads) {
    // Whole minibatch per thread: the fastest split on the machines measured so far.
    const VaeSizes sizes{.tile = (256 + threads - 1) / threads};
    return stepper(make_vae<float>(images, sizes, seed, threads), rate);
  };
}

void fill_dmm(Workload& workload, const std::string& folder) {
  constexpr std::int64_t keys = 88;
  Chorales data;
  const std::string notes = folder + "/jsb_train_pianoroll_u8.npy",
                    lengths = folder + "/jsb_train_len_i32.npy";
  if (std::filesystem::exists(notes)) {
    workload.data.add_argument("notes=" + notes);
    workload.data.add_argument("T=" + lengths);
    data.lengths = numbers<std::int32_t>(read_array(lengths));
    data.notes = numbers<std::uint8_t>(read_array(notes));
    data.longest = static_cast<std::int64_t>(data.notes.size() / data.lengths.size()) / keys;
    workload.shape = "20 of 229 chorales, f32, JSB";
  } else {
    data = synthetic_chorales(229, 129, keys);
    const auto rows = static_cast<std::int64_t>(data.lengths.size());
    workload.data.set("notes", {rows, data.longest, keys}, doubles(data.notes));
    workload.data.set("T", {rows}, doubles(data.lengths));
    workload.shape = "20 of 229 sequences, f32, synthetic";
  }
  workload.options.compile.precision = Precision::f32;
  workload.options.learning_rate = 1e-3;
  workload.tolerance = 2e-4;
  workload.make_step = [data = std::move(data), rate = workload.options.learning_rate,
                        seed = workload.options.seed](int) {
    return stepper(make_dmm<float>(data, MarkovSizes{}, seed), rate);
  };
}

} // namespace

std::vector<std::string> workload_names() {
  return {"coin", "eight_schools", "logistic", "logistic64", "radon", "vae", "dmm"};
}

Workload make_workload(const std::string& name, const std::string& source_folder,
                       const std::string& data_folder) {
  Workload workload;
  workload.name = name;
  const std::string folder = source_folder + "/examples/" + (name == "logistic64" ? "logistic" : name);
  workload.model = folder + "/model.ppl";
  if (name == "coin")
    fill_coin(workload, folder);
  else if (name == "eight_schools")
    fill_eight_schools(workload, folder);
  else if (name == "logistic")
    fill_flights(workload, folder);
  else if (name == "logistic64")
    fill_wide_logistic(workload);
  else if (name == "radon")
    fill_radon(workload, data_folder + "/hier/pdb_radon_all.json");
  else if (name == "vae")
    fill_vae(workload, data_folder + "/mnist/mnist_train_images_u8.npy");
  else if (name == "dmm")
    fill_dmm(workload, data_folder + "/jsb");
  else
    throw std::invalid_argument("there is no workload named " + name);
  return workload;
}

} // namespace plait::performance

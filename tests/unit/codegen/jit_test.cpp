#include "compiler/codegen/jit.hpp"

#include "compiler/catalog/ops/rows.hpp"
#include "compiler/codegen/lanes.hpp"
#include "compiler/codegen/object_cache.hpp"
#include "compiler/codegen/runtime_symbols.hpp"

#include <catch2/catch.hpp>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/MemoryBuffer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace plait;

namespace {

/** A folder of its own for a test, gone afterwards. */
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_jit_XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

/** `double answer(double x)`: x * factor. */
std::unique_ptr<llvm::Module> multiply_module(const codegen::Jit& jit, llvm::LLVMContext& context,
                                              double factor) {
  auto module = jit.make_module(context, "multiply");
  llvm::IRBuilder<> builder(context);
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(builder.getDoubleTy(), {builder.getDoubleTy()}, false),
                             llvm::Function::ExternalLinkage, "answer", *module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  builder.CreateRet(
      builder.CreateFMul(function->getArg(0), llvm::ConstantFP::get(builder.getDoubleTy(), factor)));
  return module;
}

codegen::CompiledCode compile_multiply(codegen::Jit& jit, double factor, std::string_view key = {}) {
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = multiply_module(jit, *context, factor);
  return jit.compile(std::move(context), std::move(module), key);
}

double call(const codegen::CompiledCode& code, double x) {
  return code.function<double (*)(double)>("answer")(x);
}

codegen::JitOptions cached_in(const TemporaryFolder& folder) {
  return {.target = codegen::host_target(), .use_cache = true, .cache_folder = folder.path};
}

codegen::JitOptions uncached() {
  return {.target = codegen::host_target(), .use_cache = false, .cache_folder = {}};
}

} // namespace

TEST_CASE("Modules with the same function name live side by side") {
  codegen::Jit jit(uncached());
  const auto twice = compile_multiply(jit, 2);
  const auto thrice = compile_multiply(jit, 3);
  CHECK(call(twice, 5) == 10);
  CHECK(call(thrice, 5) == 15);
}

TEST_CASE("A compiled object is found again by key, by another Jit too") {
  const TemporaryFolder folder;
  {
    codegen::Jit jit(cached_in(folder));
    CHECK_FALSE(jit.load("key").has_value());
    CHECK(call(compile_multiply(jit, 2, "key"), 4) == 8);
  }
  codegen::Jit jit(cached_in(folder));
  const auto code = jit.load("key");
  REQUIRE(code.has_value());
  CHECK(code->times().from_cache);
  CHECK(call(*code, 4) == 8);
  CHECK_FALSE(jit.load("another key").has_value());

  codegen::JitOptions narrow = cached_in(folder);
  narrow.target = codegen::host_target(16);
  CHECK_FALSE(codegen::Jit(std::move(narrow)).load("key").has_value());
  codegen::JitOptions off = cached_in(folder);
  off.use_cache = false;
  CHECK_FALSE(codegen::Jit(std::move(off)).load("key").has_value());
}

TEST_CASE("Damaged cache files are misses") {
  const TemporaryFolder folder;
  {
    codegen::Jit jit(cached_in(folder));
    compile_multiply(jit, 2, "key");
  }
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path))
    file = entry.path();
  REQUIRE_FALSE(file.empty());
  const auto size = std::filesystem::file_size(file);
  SECTION("truncated") {
    std::filesystem::resize_file(file, size - 1);
  }
  SECTION("cut in the header") {
    std::filesystem::resize_file(file, 10);
  }
  SECTION("empty") {
    std::filesystem::resize_file(file, 0);
  }
  SECTION("longer") {
    std::filesystem::resize_file(file, size + 1);
  }
  SECTION("one bit flipped") {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(static_cast<std::streamoff>(size - 5));
    const char byte = static_cast<char>(stream.get());
    stream.seekp(static_cast<std::streamoff>(size - 5));
    stream.put(static_cast<char>(byte ^ 1));
  }
  codegen::Jit jit(cached_in(folder));
  CHECK_FALSE(jit.load("key").has_value());
  CHECK(call(compile_multiply(jit, 2, "key"), 4) == 8);
  CHECK(jit.load("key").has_value());
}

TEST_CASE("A cache folder that cannot be written does not stop compilation") {
  const TemporaryFolder folder;
  const auto blocked = folder.path / "file";
  std::ofstream(blocked) << "not a folder";
  codegen::JitOptions options = cached_in(folder);
  options.cache_folder = blocked / "cache";
  codegen::Jit jit(std::move(options));
  CHECK(call(compile_multiply(jit, 2, "key"), 4) == 8);
  CHECK_FALSE(jit.load("key").has_value());
}

TEST_CASE("Concurrent writers and readers of one key see whole objects") {
  const TemporaryFolder folder;
  const codegen::ObjectCache cache(folder.path);
  const std::string object(100000, 'x');
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      for (int repetition = 0; repetition < 50; ++repetition) {
        cache.store("key", object);
        const auto loaded = cache.load("key");
        if (loaded == nullptr || loaded->getBuffer() != llvm::StringRef(object))
          ++wrong;
      }
    });
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("Threads may compile at once") {
  codegen::Jit jit(uncached());
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      if (call(compile_multiply(jit, thread), 2) != 2 * thread)
        ++wrong;
    });
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("Faults in modules are exceptions that name them") {
  codegen::Jit jit(uncached());
  auto context = std::make_unique<llvm::LLVMContext>();
  SECTION("a function that nobody defines") {
    auto module = jit.make_module(*context, "unknown");
    llvm::IRBuilder<> builder(*context);
    auto* type = llvm::FunctionType::get(builder.getDoubleTy(), false);
    auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, "answer", *module);
    builder.SetInsertPoint(llvm::BasicBlock::Create(*context, "entry", function));
    builder.CreateRet(builder.CreateCall(module->getOrInsertFunction("no_such_function", type)));
    const auto code = jit.compile(std::move(context), std::move(module));
    CHECK_THROWS_WITH(code.address("answer"), Catch::Contains("no_such_function"));
  }
  SECTION("a block without an end") {
    auto module = jit.make_module(*context, "malformed");
    llvm::IRBuilder<> builder(*context);
    auto* function = llvm::Function::Create(llvm::FunctionType::get(builder.getVoidTy(), false),
                                            llvm::Function::ExternalLinkage, "answer", *module);
    llvm::BasicBlock::Create(*context, "entry", function);
    CHECK_THROWS_WITH(jit.compile(std::move(context), std::move(module)), Catch::Contains("malformed"));
  }
  SECTION("a name that the module lacks") {
    const auto code = compile_multiply(jit, 2);
    CHECK_THROWS_WITH(code.address("question"), Catch::Contains("question"));
  }
}

TEST_CASE("IR and assembly can be read") {
  codegen::Jit jit(uncached());
  llvm::LLVMContext context;
  auto module = multiply_module(jit, context, 2);
  codegen::optimize(*module, jit.target());
  CHECK_THAT(codegen::print_llvm(*module), Catch::Contains("define double @answer(double"));
  CHECK_THAT(codegen::print_assembly(*module, jit.target()), Catch::Contains("answer:"));
}

TEST_CASE("Products and sums of arithmetic rows fuse; lowerings keep their roundings") {
  codegen::Jit jit(uncached());
  if (!jit.target().has_fma)
    return;
  llvm::LLVMContext context;
  auto module = jit.make_module(context, "fuse");
  llvm::IRBuilder<> builder(context);
  codegen::LlvmLanes lanes(builder, jit.target(), 4, true);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(lanes.real_type(), {lanes.real_type(), lanes.real_type()}, false),
      llvm::Function::ExternalLinkage, "fused", *module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  llvm::Value* a = function->getArg(0);
  llvm::Value* b = function->getArg(1);
  builder.CreateRet(lanes.apply(op::add, std::vector{lanes.apply(op::multiply, std::vector{a, b}), a}));
  codegen::optimize(*module, jit.target());
  CHECK_THAT(codegen::print_assembly(*module, jit.target()), Catch::Contains("fmadd"));
}

TEST_CASE("Runtime symbols are sorted and have addresses") {
  const auto symbols = codegen::runtime_symbols();
  CHECK(std::is_sorted(symbols.begin(), symbols.end(),
                       [](const auto& a, const auto& b) { return a.name < b.name; }));
  CHECK(std::all_of(symbols.begin(), symbols.end(),
                    [](const auto& symbol) { return symbol.address != nullptr; }));
  CHECK(std::any_of(symbols.begin(), symbols.end(),
                    [](const auto& symbol) { return symbol.name == "plait_log_gamma_sample_derivative"; }));
}

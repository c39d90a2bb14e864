#include "compiler/codegen/jit.hpp"

#include "compiler/codegen/object_cache.hpp"
#include "compiler/codegen/runtime_symbols.hpp"

#include <llvm/ADT/SmallVector.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>

namespace plait::codegen {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string message_of(llvm::Error error) {
  std::string text = llvm::toString(std::move(error));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return text;
}

template <class T>
T take(llvm::Expected<T> expected, const char* what) {
  if (!expected)
    throw std::runtime_error(std::string(what) + ": " + message_of(expected.takeError()));
  return static_cast<T&&>(*expected);
}

void require(llvm::Error error, const char* what) {
  if (error)
    throw std::runtime_error(std::string(what) + ": " + message_of(std::move(error)));
}

void emit(llvm::Module& module, llvm::TargetMachine& machine, llvm::raw_pwrite_stream& stream,
          llvm::CodeGenFileType type) {
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type, /*DisableVerify=*/true))
    throw std::runtime_error("LLVM cannot write objects for this machine");
  passes.run(module);
}

} // namespace

struct Jit::State {
  JitOptions options;
  ObjectCache cache{{}};
  std::unique_ptr<llvm::TargetMachine> machine;
  std::mutex report_mutex;
  std::string report; // what the linker said last: the names that a failed lookup leaves out
  std::unique_ptr<llvm::orc::LLJIT> linker;
  llvm::orc::JITDylib* runtime = nullptr;
  std::mutex mutex; // the target machine serves one compilation at a time
  std::atomic<int> count{0};

  std::string complete_key(std::string_view key) const {
    const Target& target = options.target;
    std::string complete(key);
    for (const std::string& part : {std::string(LLVM_VERSION_STRING), target.triple, target.cpu,
                                    target.features, std::to_string(target.vector_bytes)})
      complete += '\0' + part;
    return complete;
  }

  llvm::orc::JITDylib* link(std::unique_ptr<llvm::MemoryBuffer> object) {
    llvm::orc::JITDylib& library =
        take(linker->createJITDylib("step" + std::to_string(count++)), "cannot create a library");
    library.addToLinkOrder(*runtime);
    require(linker->addObjectFile(library, std::move(object)), "cannot link compiled code");
    return &library;
  }
};

void* CompiledCode::address(std::string_view function) const {
  auto* library = static_cast<llvm::orc::JITDylib*>(library_);
  Jit::State& state = *jit_->state_;
  auto found = state.linker->lookup(*library, llvm::StringRef(function.data(), function.size()));
  if (found)
    return found->toPtr<void*>();
  const std::string failure = message_of(found.takeError());
  const std::lock_guard lock(state.report_mutex);
  throw std::runtime_error("cannot link compiled code: " + failure +
                           (state.report.empty() ? "" : "; " + state.report));
}

Jit::Jit(JitOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  const Target& target = state_->options.target;
  if (state_->options.use_cache) {
    const auto& folder = state_->options.cache_folder;
    state_->cache = ObjectCache(folder.empty() ? ObjectCache::default_folder() : folder);
  }
  state_->machine = make_target_machine(target);

  llvm::orc::JITTargetMachineBuilder machine_builder{llvm::Triple(target.triple)};
  machine_builder.setCPU(target.cpu);
  machine_builder.addFeatures({target.features});
  llvm::orc::LLJITBuilder builder;
  builder.setJITTargetMachineBuilder(std::move(machine_builder))
      .setDataLayout(state_->machine->createDataLayout())
      .setPlatformSetUp(llvm::orc::setUpInactivePlatform) // no static constructors, no thread-local variables
      .setLinkProcessSymbolsByDefault(false);
  state_->linker = take(builder.create(), "cannot set up the JIT");

  // Errors travel to the caller through lookup instead of being printed.
  state_->linker->getExecutionSession().setErrorReporter([state = state_.get()](llvm::Error error) {
    std::string text = message_of(std::move(error));
    const std::lock_guard lock(state->report_mutex);
    state->report = std::move(text);
  });
  state_->runtime = &take(state_->linker->createJITDylib("runtime"), "cannot create a library");
  llvm::orc::SymbolMap symbols;
  for (const RuntimeSymbol& symbol : runtime_symbols())
    symbols[state_->linker->mangleAndIntern(llvm::StringRef(symbol.name.data(), symbol.name.size()))] = {
        llvm::orc::ExecutorAddr::fromPtr(symbol.address),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  require(state_->runtime->define(llvm::orc::absoluteSymbols(std::move(symbols))),
          "cannot define the runtime");
}

Jit::~Jit() = default;

const Target& Jit::target() const {
  return state_->options.target;
}

std::unique_ptr<llvm::Module> Jit::make_module(llvm::LLVMContext& context, std::string_view name) const {
  auto module = std::make_unique<llvm::Module>(llvm::StringRef(name.data(), name.size()), context);
  module->setTargetTriple(target().triple);
  module->setDataLayout(state_->machine->createDataLayout());
  return module;
}

std::optional<CompiledCode> Jit::load(std::string_view cache_key) {
  const auto start = Clock::now();
  auto object = state_->cache.load(state_->complete_key(cache_key));
  if (object == nullptr)
    return std::nullopt;
  CompiledCode code;
  code.jit_ = this;
  code.library_ = state_->link(std::move(object));
  code.times_.link = milliseconds_since(start);
  code.times_.from_cache = true;
  return code;
}

CompiledCode Jit::compile(std::unique_ptr<llvm::LLVMContext> context, std::unique_ptr<llvm::Module> module,
                          std::string_view cache_key) {
  const std::unique_ptr<llvm::LLVMContext> keep_until_module_is_gone = std::move(context);
  const std::unique_ptr<llvm::Module> owned = std::move(module);
  std::string problem;
  llvm::raw_string_ostream problem_stream(problem);
  if (llvm::verifyModule(*owned, &problem_stream))
    throw std::runtime_error("generated LLVM code is malformed: " + problem_stream.str());

  CompiledCode code;
  code.jit_ = this;
  llvm::SmallVector<char, 0> bytes;
  {
    const std::lock_guard lock(state_->mutex);
    auto start = Clock::now();
    optimize(*owned, *state_->machine);
    code.times_.optimize = milliseconds_since(start);
    start = Clock::now();
    llvm::raw_svector_ostream stream(bytes);
    emit(*owned, *state_->machine, stream, llvm::CodeGenFileType::ObjectFile);
    code.times_.generate = milliseconds_since(start);
  }
  const auto start = Clock::now();
  if (!cache_key.empty())
    state_->cache.store(state_->complete_key(cache_key), {bytes.data(), bytes.size()});
  code.library_ = state_->link(llvm::MemoryBuffer::getMemBufferCopy({bytes.data(), bytes.size()}, "step"));
  code.times_.link = milliseconds_since(start);
  return code;
}

void optimize(llvm::Module& module, const Target& target) {
  optimize(module, *make_target_machine(target));
}

std::string print_llvm(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

std::string print_assembly(llvm::Module& module, const Target& target) {
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream stream(text);
  emit(module, *make_target_machine(target), stream, llvm::CodeGenFileType::AssemblyFile);
  return {text.data(), text.size()};
}

} // namespace plait::codegen

# Tests beside those of the rooms. Each folder becomes the executable suite_FOLDER; a suite sees the sources'
# folder as PLAIT_SOURCE_DIR and, where it runs the program, its path as PLAIT_BINARY.
function(plait_suite name)
  cmake_parse_arguments(SUITE "RUNS_PROGRAM" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_executable(suite_${name} ${sources})
  target_link_libraries(suite_${name} PRIVATE plait_catch_main Catch2::Catch2 ${SUITE_LINK})
  target_compile_definitions(suite_${name} PRIVATE PLAIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(SUITE_RUNS_PROGRAM)
    target_compile_definitions(suite_${name} PRIVATE PLAIT_BINARY="$<TARGET_FILE:plait_cli>")
    add_dependencies(suite_${name} plait_cli)
  endif()
endfunction()

plait_suite(structure)
catch_discover_tests(suite_structure TEST_PREFIX "structure: " PROPERTIES LABELS structure)

# A fixed number of mutated programs; longer runs are for the fuzzer of the same source.
add_executable(fuzz_parse fuzz/parse/parse_fuzz.cpp)
target_link_libraries(fuzz_parse PRIVATE plait_grammar)
file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/support/programs/*.ppl)
add_test(NAME "fuzz: parse" COMMAND fuzz_parse 50000 1 ${programs})
set_tests_properties("fuzz: parse" PROPERTIES LABELS fuzz TIMEOUT 600)

if(TARGET plait)
  plait_unit(session plait)

  plait_suite(golden LINK plait)
  catch_discover_tests(suite_golden TEST_PREFIX "golden: " PROPERTIES LABELS golden)

  # Fits with a known posterior, through the public header.
  find_package(nlohmann_json REQUIRED)
  plait_suite(reference_fits LINK plait nlohmann_json::nlohmann_json)
  catch_discover_tests(suite_reference_fits TEST_PREFIX "fit: " PROPERTIES LABELS fit TIMEOUT 600)

  # A program that knows the public header and nothing else.
  add_executable(embedding embedding/embedding.cpp)
  target_link_libraries(embedding PRIVATE plait)
  add_test(NAME "embedding: coin" COMMAND embedding)
  set_tests_properties("embedding: coin" PROPERTIES LABELS embedding)
endif()

if(TARGET plait_cli)
  add_test(NAME "embedding: installed" COMMAND ${CMAKE_COMMAND} -D BUILD=${PROJECT_BINARY_DIR}
    -D SOURCE=${CMAKE_CURRENT_SOURCE_DIR}/embedding -D WORK=${CMAKE_CURRENT_BINARY_DIR}/installed
    -P ${CMAKE_CURRENT_SOURCE_DIR}/embedding/installed.cmake)
  set_tests_properties("embedding: installed" PROPERTIES LABELS embedding)

  find_package(nlohmann_json REQUIRED)

  plait_suite(cli RUNS_PROGRAM LINK nlohmann_json::nlohmann_json)
  catch_discover_tests(suite_cli TEST_PREFIX "cli: " PROPERTIES LABELS cli TIMEOUT 600)

  plait_suite(errors_data RUNS_PROGRAM)
  catch_discover_tests(suite_errors_data TEST_PREFIX "errors_data: " PROPERTIES LABELS errors)

  plait_suite(readme RUNS_PROGRAM LINK plait)
  catch_discover_tests(suite_readme TEST_PREFIX "readme: " PROPERTIES LABELS readme TIMEOUT 900)

  # One test for each example with an expected result.
  plait_suite(examples RUNS_PROGRAM LINK nlohmann_json::nlohmann_json)
  file(GLOB expectations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*/expected.json)
  foreach(expectation ${expectations})
    get_filename_component(folder ${expectation} DIRECTORY)
    get_filename_component(example ${folder} NAME)
    add_test(NAME "example: ${example}" COMMAND suite_examples)
    set_tests_properties("example: ${example}" PROPERTIES
      LABELS example TIMEOUT 1800 ENVIRONMENT PLAIT_EXAMPLE=${example} SKIP_REGULAR_EXPRESSION "example skipped: ")
  endforeach()
endif()

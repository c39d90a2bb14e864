# Installs Plait below WORK, builds the embedding program against what was installed, and runs it.
#   cmake -D BUILD=<build folder of Plait> -D SOURCE=<this folder> -D WORK=<folder to use> -P installed.cmake
file(REMOVE_RECURSE ${WORK})
foreach(command
    "--install;${BUILD};--prefix;${WORK}/prefix"
    "-S;${SOURCE};-B;${WORK}/build;-D;CMAKE_PREFIX_PATH=${WORK}/prefix;-D;CMAKE_BUILD_TYPE=Release"
    "--build;${WORK}/build"
    "-E;chdir;${WORK};build/embedding")
  execute_process(COMMAND ${CMAKE_COMMAND} ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

// Enough of CUDA for a C++ compiler to run a kernel's unchanged text on the CPU, thread after thread.
#include <cmath>
#include <tuple>
#include <utility>

#define __global__
#define __device__

struct Dimensions { unsigned x, y, z; };
static thread_local Dimensions threadIdx, blockIdx, blockDim, gridDim;

// Like the driver's launch: `arguments` holds the address of every argument of the kernel.
template <class... Types, std::size_t... K>
static void launch(void (*kernel)(Types...), unsigned grid, unsigned block, void** arguments,
                   std::index_sequence<K...>)
{
    gridDim = {grid, 1, 1};
    blockDim = {block, 1, 1};
    for (unsigned b = 0; b < grid; b++)
        for (unsigned t = 0; t < block; t++) {
            blockIdx = {b, 0, 0};
            threadIdx = {t, 0, 0};
            kernel(*static_cast<Types*>(arguments[K])...);
        }
}

template <class... Types>
static int count_and_launch(void (*kernel)(Types...), unsigned grid, unsigned block, void** arguments)
{
    if (arguments) launch(kernel, grid, block, arguments, std::index_sequence_for<Types...>());
    return sizeof...(Types);
}

"""CUDA kernels of batched LU: a panel in registers, row exchanges, and triangular solves.

A matrix M is stored by columns, n entries each; blockIdx.x counts matrices. `first` is the row and column where a
step begins: it leaves the rows above alone.
"""

BLOCK = 32  # rows of a triangle that one thread solves in registers
COLUMNS = 64  # right-hand sides of a thread block, one for each thread

PANEL = r"""
__device__ unsigned warp_max(unsigned value) {
#if __CUDA_ARCH__ >= 800
    return __reduce_max_sync(~0u, value);
#else
    for (int lanes = 16; lanes; lanes /= 2) value = max(value, __shfl_xor_sync(~0u, value, lanes));
    return value;
#endif
}

// Lowest lane that holds the largest value of the warp, which goes to `top`.
__device__ int warp_leader(unsigned value, unsigned &top) {
    top = warp_max(value);
    return __ffs(__ballot_sync(~0u, value == top)) - 1;
}

// LU with partial pivoting of `width` <= WIDTH columns. A thread keeps ROWS rows in registers; they stay where they
// are, and `position` says which row of the result each becomes. A step rotates the columns, so that the next one is
// always a[.][0]: a register array must not be indexed by a variable. The multiplier takes the place that falls free.
extern "C" __global__ void __launch_bounds__(THREADS) eliminate(double* W, int* order, int n, int first, int width) {
    __shared__ double pivot_row[WIDTH];
    __shared__ unsigned best[32];
    __shared__ int best_thread[32], pivot_position;
    double* M = W + (size_t)blockIdx.x * (n + 2) * n + (size_t)first * n + first;
    const int rows = n - first, steps = min(width, rows), lane = threadIdx.x % 32, warp = threadIdx.x / 32;

    double a[ROWS][WIDTH];
    int position[ROWS];
    #pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        int i = threadIdx.x + r * THREADS;
        position[r] = i < rows ? i : -1;
        #pragma unroll
        for (int j = 0; j < WIDTH; ++j) a[r][j] = i < rows && j < width ? M[(size_t)j * n + i] : 0.0;
    }

    for (int t = 0; t < steps; ++t) {
        // The largest entry by its high word: as good a pivot as the largest to one part in a million.
        unsigned mine = 0, top;
        int row = 0;
        #pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            unsigned size = position[r] >= t ? 1u + __double2hiint(fabs(a[r][0])) : 0u;
            if (size > mine) { mine = size; row = r; }
        }
        if (lane == warp_leader(mine, top)) { best[warp] = top; best_thread[warp] = threadIdx.x; }
        __syncthreads();
        int winner = warp_leader(lane < THREADS / 32 ? best[lane] : 0u, top);
        if (threadIdx.x == best_thread[winner]) {
            #pragma unroll
            for (int r = 0; r < ROWS; ++r) if (r == row) {
                pivot_row[0] = 1.0 / a[r][0];
                #pragma unroll
                for (int j = 1; j < WIDTH; ++j) pivot_row[j] = j < width - t ? a[r][j] : 0.0;
                pivot_position = position[r];
            }
        }
        __syncthreads();
        #pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            if (position[r] == pivot_position) position[r] = t;
            else if (position[r] == t) position[r] = pivot_position;
            double head = a[r][0], multiplier = position[r] > t ? head * pivot_row[0] : 0.0;
            #pragma unroll
            for (int j = 1; j < WIDTH; ++j) a[r][j - 1] = fma(-multiplier, pivot_row[j], a[r][j]);
            a[r][WIDTH - 1] = position[r] > t ? multiplier : head;
        }
    }

    #pragma unroll
    for (int r = 0; r < ROWS; ++r) if (position[r] >= 0) {
        order[(size_t)blockIdx.x * rows + position[r]] = threadIdx.x + r * THREADS;
        #pragma unroll
        for (int j = 0; j < WIDTH; ++j) {
            int column = j + steps < WIDTH ? j + steps : j + steps - WIDTH;
            if (column < width) M[(size_t)column * n + position[r]] = a[r][j];
        }
    }
}
"""

STEPS = r"""
// Rows from `first` on of column left + blockIdx.y: row q becomes what row order[q] was.
extern "C" __global__ void exchange(double* W, const int* order, int n, int first, int left) {
    extern __shared__ double before[];
    const int rows = n - first;
    double* column = W + ((size_t)blockIdx.x * (n + 2) + left + blockIdx.y) * n + first;
    order += (size_t)blockIdx.x * rows;
    for (int i = threadIdx.x; i < rows; i += blockDim.x) before[i] = column[i];
    __syncthreads();
    for (int i = threadIdx.x; i < rows; i += blockDim.x) if (order[i] != i) column[i] = before[order[i]];
}

// order, then `later` on its last rows: both in one.
extern "C" __global__ void compose(int* order, const int* later, int rows, int later_rows) {
    extern __shared__ int earlier[];
    order += (size_t)blockIdx.x * rows + rows - later_rows;
    later += (size_t)blockIdx.x * later_rows;
    for (int i = threadIdx.x; i < later_rows; i += blockDim.x) earlier[i] = order[i];
    __syncthreads();
    for (int i = threadIdx.x; i < later_rows; i += blockDim.x) order[i] = earlier[later[i]];
}

// L^-1 times COLUMNS columns, one for each thread, L unit lower triangular of `height` <= BLOCK rows. Columns pass
// through shared memory, since a thread's column is contiguous and the threads' entries are not.
extern "C" __global__ void __launch_bounds__(COLUMNS) substitute(
    double* W, int n, int first, int height, int left, int right
) {
    __shared__ double L[BLOCK][BLOCK], tile[BLOCK][COLUMNS + 1];
    double* M = W + (size_t)blockIdx.x * (n + 2) * n + first;
    const int lane = threadIdx.x % BLOCK, group = threadIdx.x / BLOCK, groups = COLUMNS / BLOCK;
    left += blockIdx.y * COLUMNS;
    for (int k = group; k < BLOCK; k += groups)
        L[k][lane] = lane < height && k < lane ? M[(size_t)(first + k) * n + lane] : 0.0;
    for (int j = group; j < COLUMNS; j += groups)
        tile[lane][j] = lane < height && left + j < right ? M[(size_t)(left + j) * n + lane] : 0.0;
    __syncthreads();

    double x[BLOCK];
    #pragma unroll
    for (int i = 0; i < BLOCK; ++i) x[i] = tile[i][threadIdx.x];
    #pragma unroll
    for (int k = 0; k < BLOCK - 1; ++k) {
        #pragma unroll
        for (int i = k + 1; i < BLOCK; ++i) x[i] = fma(-L[k][i], x[k], x[i]);
    }
    #pragma unroll
    for (int i = 0; i < BLOCK; ++i) tile[i][threadIdx.x] = x[i];
    __syncthreads();

    for (int j = group; j < COLUMNS; j += groups)
        if (lane < height && left + j < right) M[(size_t)(left + j) * n + lane] = tile[lane][j];
}

// X = U^-1 Y for the two last columns Y of M, X (2, n): a warp solves a diagonal block for either column, then all
// threads subtract its columns from the rows above.
extern "C" __global__ void __launch_bounds__(256) back_substitute(const double* W, double* X, int n) {
    extern __shared__ double y[];
    const double* M = W + (size_t)blockIdx.x * (n + 2) * n;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int i = threadIdx.x; i < 2 * n; i += blockDim.x) y[i] = M[(size_t)n * n + i];

    for (int start = (n - 1) / 32 * 32; start >= 0; start -= 32) {
        const int height = min(32, n - start);
        const double* U = M + (size_t)start * n;
        __syncthreads();
        if (warp < 2) {
            double column[32], x = lane < height ? y[warp * n + start + lane] : 0.0;
            #pragma unroll
            for (int k = 0; k < 32; ++k) column[k] = k < height && lane < k ? U[(size_t)k * n + start + lane] : 0.0;
            double inverse = lane < height ? 1.0 / U[(size_t)lane * n + start + lane] : 0.0;
            #pragma unroll
            for (int k = 31; k >= 0; --k) {
                if (lane == k) x *= inverse;
                double known = __shfl_sync(~0u, x, k);
                if (lane < k) x = fma(-column[k], known, x);
            }
            if (lane < height) y[warp * n + start + lane] = x;
        }
        __syncthreads();
        for (int i = threadIdx.x; i < start; i += blockDim.x) {
            double first = y[i], last = y[n + i];
            #pragma unroll 8
            for (int k = 0; k < height; ++k) {
                double u = U[(size_t)k * n + i];
                first = fma(-u, y[start + k], first);
                last = fma(-u, y[n + start + k], last);
            }
            y[i] = first;
            y[n + i] = last;
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < 2 * n; i += blockDim.x) X[(size_t)blockIdx.x * 2 * n + i] = y[i];
}
"""

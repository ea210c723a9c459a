/**
 * Zero for fields that hold times: minus zero, which V8 stores as a double (`-0 + t` is `t`). A field that begins with the integer 0 is laid out for integers;
 * when it first goes beyond 2^31 (2.1 s in ns, in the middle of a run) its objects get a new layout and all compiled code that reads them is thrown away.
 */
export const ZERO_NS = -0;

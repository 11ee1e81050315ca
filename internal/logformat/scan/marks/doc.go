// Package marks cuts the line of an access log where its values end, all at once: at its
// quotes, and at its spaces outside quotes. These are the line's marks.
//
//	172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] "GET /foo HTTP/1.0" 200 2133
//	          ^ ^ ^                     ^      ^^                 ^^   ^
//
// A byte is inside quotes if the number of quotes up to it, with itself, is odd. So an
// opening quote is inside, a closing one is not, and both are marks because they are
// quotes. Whether a line may be read in this way its reader has to know: a quote that is
// part of a value turns inside out all that stands behind it. The reader is package scan,
// which says in a Layout what it expects, and asks others when a line is otherwise.
//
// There are two ways to cut, which say the same of each line (FuzzCut): cut, in assembly
// for processors with AVX2, and cutPortable, which defines what cut must say.
//
// Both first look at blocks of 64 bytes, one bit for each, the first one lowest:
//
//	bytes     GET "a b" 1
//	quotes    00001000100     the byte is "
//	spaces    00010010010     the byte is a space
//	inside    00001111000     parity of quotes up to here
//	marks     00011000110     quotes | spaces &^ inside
//
// The parity of all bits up to each one is a multiplication by all ones in which nothing
// is carried (Langdale and Lemire, Parsing gigabytes of JSON per second, 2019). Its last
// bit in a block says whether the next block begins inside quotes: then all bits of that
// one are turned over.
//
// Where the line ends within a block, its last 64 bytes are loaded, and the bits shifted
// out that belong to the block before. So nothing but the line is read, and lines shorter
// than a block are not cut.
//
// Of each block eight places are written, or a multiple of it: to write places that do
// not count is cheaper than to ask behind each one whether it was the last. When a block
// would bring more marks than the layout has, cut stops before it writes. So eight places
// are written behind the layout's marks at most, which Found has room for.
//
// Then each run is looked at, with the eight bytes behind it. Where the line has fewer,
// its last eight are shifted, so zeros stand for those behind its end. A place has 16
// bits and sums have 32, so none overflows. Runs with a class are looked at in the 32
// bytes up to their end, or in the line's first 32: a line has 64.
package marks

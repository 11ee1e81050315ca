// Package marks finds where the values of a line of an access log end, all in one pass:
// at its quotes, and at its spaces outside quotes. These are the line's marks.
//
//	172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] "GET /foo HTTP/1.0" 200 2133
//	          ^ ^ ^                     ^     ^ ^                 ^^   ^
//
// A byte is inside quotes if the number of quotes up to it, with itself, is odd. So an
// opening quote is inside, a closing one is not, and both are marks because they are
// quotes. Whether a line should be read in this way, its reader has to know: a quote that
// is part of a value turns inside out all that stands behind it.
//
// There are two ways to find marks, which give the same for each line (FuzzFind):
//
//   - find, in assembly for processors with AVX2, and
//   - findPortable for all others, and for the build tag purego.
//
// Both look at blocks of 64 bytes, one bit for each, the first one lowest:
//
//	bytes     GET "a b" 1
//	quotes    00001000100     byte equals "
//	spaces    00010010010     byte equals space
//	inside    00001111000     parity of quotes up to here
//	marks     00011000110     quotes | spaces &^ inside
//
// The parity of all bits up to each one is their sum without carry, which is a
// multiplication by all ones without carry (Langdale and Lemire, Parsing gigabytes of
// JSON per second, 2019). A block's last bit of it is carried into the next: if it is
// set, all bits of the next are turned over.
//
// Where the line ends within a block, its last 64 bytes are loaded and those bits shifted
// out that belong to the block before. So nothing outside the line is read, and lines
// shorter than a block are not looked at.
//
// Eight places are written for each block, or a multiple of it, since it is cheaper to
// write places that do not count than to ask after each one whether it is the last. When
// a block would bring more marks than asked for, both ways stop before they write: at
// most seven places are written behind the last mark. That is what Positions has room
// for.
package marks

//! Mutations of bytes: flips, cuts, repeats, splices, and words that parsers care about.

/// A source of mutations. What it does follows from its number alone.
pub struct Mutator {
    state: u64,
    /// The number it was made from.
    pub number: u64,
}

/// Words at which parsers turn.
const WORDS: [&[u8]; 40] = [
    b",",
    b";",
    b" ",
    b"=",
    b".",
    b":",
    b"t=",
    b"ts=",
    b"v1=",
    b"v0=",
    b"h1=",
    b"v1,",
    b"v1a,",
    b"sha256=",
    b"sha1=",
    b"+",
    b"-",
    b"0",
    b"00",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\",
    b"\\u0000",
    b"~0",
    b"/",
    b"\t",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    "é".as_bytes(),
    b"18446744073709551616",
    b"1760000000",
    b"1e9",
    b"null",
    b"==",
    b"_-",
];

impl Mutator {
    pub fn new(number: u64) -> Mutator {
        Mutator { state: number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D, number }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Changes bytes in one way; `other` is what may be spliced in.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len() + 1);
        match self.below(10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.next() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(..at)),
            4 => {
                let end = at + self.below(bytes.len() - at + 1);
                bytes.drain(at..end);
            }
            5 => {
                // A piece again, behind itself.
                let end = at + self.below((bytes.len() - at + 1).min(200));
                let piece = bytes[at..end].to_vec();
                bytes.splice(end..end, piece);
            }
            6 => {
                let from = self.below(other.len() + 1);
                let to = from + self.below((other.len() - from + 1).min(200));
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            7 => {
                let word = *self.pick(&WORDS);
                bytes.splice(at..at, word.iter().copied());
            }
            8 if at < bytes.len() => bytes[at] = bytes[at].to_ascii_uppercase(),
            _ => {
                let (word, times) = (*self.pick(&WORDS), self.below(100));
                if times == 99 && bytes.len() < 20_000 {
                    // Once in a while much of it.
                    let many = word.repeat(2_000);
                    bytes.splice(at..at, many);
                } else if at < bytes.len() {
                    let end = (at + word.len()).min(bytes.len());
                    bytes.splice(at..end, word.iter().copied());
                }
            }
        }
    }
}

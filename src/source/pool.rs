//! Blocks of memory that a stream is read into, used again once nobody holds them.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::headroom::zeros;

/// Blocks kept for the next use.
const SPARE_BLOCKS: usize = 2;

/// The blocks of one stream.
#[derive(Debug)]
pub(super) struct Pool {
    block_bytes: usize,
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    pub(super) fn new(block_bytes: usize) -> Pool {
        Pool { block_bytes, spare: Mutex::default() }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of full length; what stands in it means nothing.
    ///
    /// # Errors
    /// There is no memory for another one.
    pub(super) fn take(&self) -> io::Result<Vec<u8>> {
        let block = self.spare().pop();
        block.map_or_else(|| zeros(self.block_bytes), Ok)
    }

    /// Takes a block back; what is none of this pool's, or one too many, is freed.
    pub(super) fn give(&self, mut block: Vec<u8>) {
        if block.capacity() != self.block_bytes {
            return;
        }
        // Only what was cut off is written anew.
        block.resize(self.block_bytes, 0);
        let mut spare = self.spare();
        if spare.len() < SPARE_BLOCKS {
            spare.push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_and_strangers_do_not() {
        let pool = Pool::new(100);
        let mut block = pool.take().unwrap();
        let place = block.as_ptr();
        block.truncate(7);
        pool.give(block);
        pool.give(vec![1; 99]);
        assert_eq!(pool.spare().len(), 1);
        let again = pool.take().unwrap();
        assert_eq!((again.as_ptr(), again.len()), (place, 100));
        let many: Vec<_> = (0..10).map(|_| pool.take().unwrap()).collect();
        many.into_iter().for_each(|block| pool.give(block));
        assert_eq!(pool.spare().len(), SPARE_BLOCKS);
    }
}

//! Places for what is under way, reused.

/// Values under small numbers, until they are taken.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
    kept: usize,
}

impl<T> Slab<T> {
    /// No values.
    pub fn new() -> Slab<T> {
        Slab { places: Vec::new(), free: Vec::new(), kept: 0 }
    }

    /// Keeps a value; tells its number.
    pub fn keep(&mut self, value: T) -> u32 {
        self.kept += 1;
        match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = Some(value);
                place
            }
            None => {
                self.places.push(Some(value));
                self.places.len() as u32 - 1
            }
        }
    }

    /// The value, for as long as it is kept.
    pub fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    /// Takes the value out; its number may then name another one.
    pub fn take(&mut self, place: u32) -> Option<T> {
        let value = self.places.get_mut(place as usize)?.take();
        if value.is_some() {
            self.free.push(place);
            self.kept -= 1;
        }
        value
    }

    /// Takes everything out. The numbers of what was there are not used again, so that whoever still names
    /// one finds nothing.
    pub fn empty(&mut self) -> Vec<T> {
        let all: Vec<T> = self.places.iter_mut().filter_map(Option::take).collect();
        self.kept -= all.len();
        all
    }

    /// How many were kept at the same time at most.
    #[cfg(test)]
    pub fn most(&self) -> usize {
        self.places.len()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept
    }
}

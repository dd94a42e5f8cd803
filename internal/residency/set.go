package residency

import "math/bits"

// PlaceID numbers the places of one Catalog, from 0.
type PlaceID int

const (
	setWords   = 8
	setPlaces  = setWords * 64 // how many places a catalog can have
	noPlace    = PlaceID(-1)
	wordOfBits = 6
)

// Set is a set of places of one Catalog. The zero value is empty.
type Set [setWords]uint64

// Has reports whether a place is in the set; no place is in none.
func (s *Set) Has(place PlaceID) bool {
	return uint(place) < setPlaces && s[uint(place)>>wordOfBits]&(1<<(uint(place)&63)) != 0
}

// Add puts a place of the catalog into the set.
func (s *Set) Add(place PlaceID) {
	if uint(place) < setPlaces {
		s[uint(place)>>wordOfBits] |= 1 << (uint(place) & 63)
	}
}

// And leaves what is in the other set, too.
func (s *Set) And(other *Set) {
	for i := range s {
		s[i] &= other[i]
	}
}

// Or adds what is in the other set.
func (s *Set) Or(other *Set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// AndNot takes away what is in the other set.
func (s *Set) AndNot(other *Set) {
	for i := range s {
		s[i] &^= other[i]
	}
}

// Empty reports whether no place is in the set.
func (s *Set) Empty() bool { return *s == Set{} }

// Len is how many places are in the set.
func (s *Set) Len() int {
	count := 0
	for _, word := range s {
		count += bits.OnesCount64(word)
	}
	return count
}

// Each calls a function for every place in the set, in ascending order, until
// it returns false. It fits range.
func (s *Set) Each(yield func(PlaceID) bool) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(PlaceID(i<<wordOfBits + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

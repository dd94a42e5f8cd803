package residency

import "sync/atomic"

// remembered are things worked out for places: a few in a list, more in a
// table. It is safe for concurrent use.
type remembered[T any] struct {
	few  atomic.Pointer[[]placed[T]]
	many atomic.Pointer[[setPlaces]atomic.Pointer[T]]
}

type placed[T any] struct {
	place PlaceID
	thing *T
}

const fewPlaces = 8

// at is what is remembered of a place, nil when nothing is.
func (r *remembered[T]) at(place PlaceID) *T {
	if many := r.many.Load(); many != nil {
		return many[place].Load()
	}
	if few := r.few.Load(); few != nil {
		for i := range *few {
			if (*few)[i].place == place {
				return (*few)[i].thing
			}
		}
	}
	return nil
}

// keep remembers something of a place of the catalog. What is lost to another
// goroutine's is worked out again.
func (r *remembered[T]) keep(place PlaceID, thing *T) {
	if many := r.many.Load(); many != nil {
		many[place].Store(thing)
		return
	}
	few := r.few.Load()
	if few == nil || len(*few) < fewPlaces {
		longer := make([]placed[T], 0, fewPlaces)
		if few != nil {
			longer = append(longer, *few...)
		}
		longer = append(longer, placed[T]{place, thing})
		r.few.CompareAndSwap(few, &longer)
		return
	}
	table := &[setPlaces]atomic.Pointer[T]{}
	for _, one := range *few {
		table[one.place].Store(one.thing)
	}
	table[place].Store(thing)
	r.many.CompareAndSwap(nil, table)
}

package server

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// newID makes a short name that sorts by time: milliseconds in base 36, which
// keep eight digits until 2059, and five random ones against neighbours.
func newID() string {
	return strconv.FormatInt(time.Now().UnixMilli(), 36) + strings.ToLower(rand.Text()[:5])
}

func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}

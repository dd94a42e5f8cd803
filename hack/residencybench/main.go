// Command residencybench measures residency decisions beside OPA and cedar-go,
// in one run, on one corpus of rules over every region of the three clouds,
// after checking that all three give the same answers.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "residencybench:", err)
		os.Exit(1)
	}
}

package casework

import (
	"errors"
	"fmt"
	"slices"
)

// IsState reports whether a word is one of our states.
func IsState(s string) bool { return slices.Contains(States(), State(s)) }

// CheckStates names the entries of a mapping from another system's words whose state is none of ours.
func CheckStates(key string, states map[string]State) error {
	var errs []error
	for word, s := range states {
		if !IsState(string(s)) {
			errs = append(errs, fmt.Errorf("%s.%s: %q is not one of %v", key, word, s, States()))
		}
	}
	return errors.Join(errs...)
}

// CheckWords names the entries of a mapping to another system's words whose state is none of ours.
func CheckWords(key string, words map[State]string) error {
	var errs []error
	for s := range words {
		if !IsState(string(s)) {
			errs = append(errs, fmt.Errorf("%s.%s: is not one of %v", key, s, States()))
		}
	}
	return errors.Join(errs...)
}

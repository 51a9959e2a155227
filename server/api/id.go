package api

import (
	"encoding/json"
	"strconv"

	"callhome"

	"github.com/danielgtaylor/huma/v2"
)

// ID is a record's number, written as a text: readers of JSON that keep numbers as floating point would lose its last digits.
type ID int64

// MarshalJSON writes the number in quotes.
func (id ID) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatInt(int64(id), 10)), nil
}

// UnmarshalJSON takes the number with or without quotes.
func (id *ID) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		b = []byte(s)
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return callhome.Errorf(callhome.KindInvalid, "an ID is a number, not %q", shorten(string(b)))
	}
	*id = ID(n)
	return nil
}

// Schema describes an ID.
func (ID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Pattern: "^[0-9]{1,19}$", Examples: []any{"137438953472"}}
}

// String is the number.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

func idsOf[T ~int64](list []T) []ID {
	out := make([]ID, len(list))
	for i, n := range list {
		out[i] = ID(n)
	}
	return out
}

func numbersOf[T ~int64](list []ID) []T {
	out := make([]T, len(list))
	for i, n := range list {
		out[i] = T(n)
	}
	return out
}

// oneInput names one record.
type oneInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The record's number"`
}

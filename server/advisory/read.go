package advisory

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"callhome"
)

// Fault is what is wrong with a file, and where.
type Fault struct {
	File    string `json:"file"`
	Place   string `json:"place,omitempty"` // line, or path within the document
	Message string `json:"message"`
}

// Error names file, place and fault.
func (f Fault) Error() string {
	if f.Place == "" {
		return f.File + ": " + f.Message
	}
	return f.File + ": " + f.Place + ": " + f.Message
}

// Limits of files.
const (
	MaxFile   = 64 << 20 // bytes; the largest public document seen is some MiB
	maxFaults = 200      // told of one file
)

// ReadFile reads what one file holds: a CSAF 2.0 document, our JSON or CSV, or EoX records; its content tells which.
// Notices of a file with faults are given as far as they were understood; Import refuses such files.
func ReadFile(name string, b []byte) ([]Notice, []Fault) {
	var faults []Fault
	fault := func(place, format string, args ...any) {
		if len(faults) < maxFaults {
			faults = append(faults, Fault{File: name, Place: place, Message: fmt.Sprintf(format, args...)})
		}
	}
	if len(b) > MaxFile {
		fault("", "%d bytes; at most %d are read", len(b), MaxFile)
		return nil, faults
	}
	if !utf8.Valid(b) {
		fault("", "the text is not UTF-8")
		return nil, faults
	}
	var notices []Notice
	body := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), " \t\r\n")
	switch head := body[:min(len(body), 4096)]; {
	case len(body) == 0:
		fault("", "the file is empty")
	case body[0] != '{' && body[0] != '[':
		notices = readCSV(b, fault)
	case bytes.Contains(head, []byte(`"EOXRecord"`)):
		notices = readEoX(body, fault)
	case bytes.Contains(head, []byte(`"notices"`)) && !bytes.Contains(body, []byte(`"csaf_version"`)):
		notices = readRows(body, fault)
	default:
		notices = readCSAF(body, fault)
	}
	if len(notices) == 0 && len(faults) == 0 {
		fault("", "the file holds no notice")
	}
	return notices, faults
}

// ReadPaths reads files, and folders with all .json and .csv files below them, and hands over one after the other. A file
// that cannot be read is a fault of its own. It ends at the first error that f gives back.
func ReadPaths(paths []string, f func(name string, notices []Notice, faults []Fault) error) error {
	one := func(name string) error {
		notices, faults := readPath(name)
		return f(name, notices, faults)
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			if err := f(p, nil, []Fault{{File: p, Message: plainError(err)}}); err != nil {
				return err
			}
			continue
		}
		if !info.IsDir() {
			if err := one(p); err != nil {
				return err
			}
			continue
		}
		err = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return f(name, nil, []Fault{{File: name, Message: plainError(err)}})
			}
			if ext := strings.ToLower(filepath.Ext(name)); d.IsDir() || ext != ".json" && ext != ".csv" {
				return nil
			}
			return one(name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func readPath(name string) ([]Notice, []Fault) {
	info, err := os.Stat(name)
	if err == nil && (info.Size() > MaxFile || !info.Mode().IsRegular()) {
		err = callhome.Errorf(callhome.KindInvalid, "not a regular file of at most %d bytes", MaxFile)
	}
	if err != nil {
		return nil, []Fault{{File: name, Message: plainError(err)}}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, []Fault{{File: name, Message: plainError(err)}}
	}
	return ReadFile(name, b)
}

// plainError is an error of a file without the file's name, which stands before it.
func plainError(err error) string {
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // of os.Stat and os.ReadFile, never wrapped
		return p.Err.Error()
	}
	return err.Error()
}

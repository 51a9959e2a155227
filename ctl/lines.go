package ctl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// readBuffer is large enough that most lines are handed out without a copy.
	readBuffer = 256 << 10
	// maxLine bounds one line of input. No log has longer ones, yet a file without line feeds must not fill the memory.
	maxLine = 32 << 20
)

// eachLine calls f with every line of r, without its line feed. The line is valid during the call. A line longer than
// maxLine is handed over in pieces, so that nothing is dropped. The last line may lack its line feed.
func eachLine(r io.Reader, f func(line []byte) error) error {
	br := bufio.NewReaderSize(r, readBuffer)
	var long []byte
	for {
		part, err := br.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
			if len(long) < maxLine {
				continue
			}
			part, err = nil, nil
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read input: %w", err)
		}
		line := part
		if long != nil {
			long = append(long, part...)
			line = long
		}
		if len(line) > 0 {
			if ferr := f(bytes.TrimSuffix(line, []byte("\n"))); ferr != nil {
				return ferr
			}
		}
		long = nil
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

// output buffers what a filter prints; flush is to be deferred with the filter's error.
func output(w io.Writer) (*bufio.Writer, func(*error)) {
	bw := bufio.NewWriterSize(w, readBuffer)
	return bw, func(err *error) {
		if ferr := bw.Flush(); *err == nil && ferr != nil {
			*err = fmt.Errorf("write output: %w", ferr)
		}
	}
}

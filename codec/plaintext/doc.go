// Package plaintext turns messages into short and long text and reads both back.
//
// It owns the label dialects of long text (A of IOS, B of NX-OS and MDS, C of the CISCO-CALLHOME-MIB's description) and
// the two forms of short text (the pager's two lines, and five labels). Dialects are values: tables of labels in their
// order. It does not own mail, XML, size limits in bytes, or what must not leave: agent/render and agent/redact do.
//
// What we write is read back without doubt, though the format has no quoting of its own:
//
//   - a value of several lines continues on lines that begin with one blank;
//   - a line of device output that would read as the start of the next output gets one blank in front, and loses it on
//     reading;
//   - a free name that would read as a label gets a "+" in front;
//   - device output ends with the newline that follows it, so that output ending in a newline leaves an empty line.
//
// A message written by others, without these, is read all the same.
package plaintext

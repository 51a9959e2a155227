// Package render turns a message into what leaves: bytes in the profile's format, within its size limit, one envelope
// for each destination.
//
// It owns the choice of the form, the size limit and what is cut for it, and the mail around a mailed message. The forms
// themselves are the codecs'; what must not leave was taken out before, by agent/redact; message IDs and addresses come
// from the conductor.
//
// The size limit counts the message as it is rendered: the XML document or the text. The header of a mail, its transfer
// encoding and the HTTP request around it do not count, so that every destination of a profile gets the same message.
package render

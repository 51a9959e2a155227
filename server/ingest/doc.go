// Package ingest reads what arrived: it takes the XML out of a mail, decodes it, joins the blocks of a message that came
// in several, and fills in the archive's record. What cannot be read is told by a fault, never by losing it.
//
// It owns the forms that the back end accepts (AML and MML; text only as an exception that people can look at), the key
// by which a repeat is known, and the joining. It does not know devices (server/registry).
package ingest

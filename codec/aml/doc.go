// Package aml reads and writes call-home messages as XML: AML blocks in a SOAP 1.2 envelope, and the older MML documents,
// which are only read. It also writes and reads the answers of a device endpoint.
//
// The package owns the element tree, its namespaces, the variants that platforms print (as values, see [Variant]) and a
// scanner of its own. Strict in what it writes, it is tolerant in what it reads: prefixes, unknown namespaces, synonyms,
// illegal names and bytes, and whatever it does not understand is kept in Message.Unknown. It does not join blocks, judge
// messages, cut them to a size or read a clock.
//
// # The scanner
//
// One pass over one copy of the document; every field of a decoded message is a slice of that copy, so a message keeps
// its document's text in memory as long as any field of it is kept. A document that is not well formed is scanned a
// second time leniently, and the message then carries a flag.
//
// The scanner accepts and refuses what the Strict mode of encoding/xml does and gives the same names, attributes and
// text, which a fuzz test holds it to. The deliberate differences, all of the first scan:
//
//   - document type declarations are refused, but for `<!DOCTYPE mml SYSTEM "...">` without an internal subset, which is
//     never fetched; every other <!...> that is no comment and no CDATA section is refused;
//   - names follow the fifth edition of XML 1.0, which allows more letters outside ASCII than the tables of encoding/xml;
//   - depth, elements, attributes, names and the document are bounded, see limits.go;
//   - ISO-8859-1, windows-1252 and US-ASCII are read where the XML declaration names them; UTF-16 is refused by name.
//
// [Decode] goes further than its scanner: it wants one root element with no text before it, and stops at its end.
package aml

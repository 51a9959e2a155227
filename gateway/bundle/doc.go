// Package bundle is messages in a file that is carried by hand between sites with no connection, and the receipt that is
// carried back. It owns the format, the keys and the proof of both; what is put in and what becomes of it is the
// gateway's business.
//
//	line 1   header, JSON: what it is, its number, from whom to whom, how many messages, length and SHA-256 of the payload
//	line 2   Ed25519 signature of line 1, base64
//	rest     payload: an age file (X25519) for the one it is for, holding a gzip stream
//
//	payload of a bundle     a JSON line for each message, its body behind it, and a last line that says how many
//	payload of a receipt    one JSON value
//
// The signature is checked before anything is decrypted; the header names the receiver, so that a bundle that was
// decrypted cannot be passed on to a third as if it were for him. Files are written beside their name, synced, and
// renamed: a name has a whole file behind it or none.
//
// Keys lie in one folder, mode 0600: sign.key (Ed25519 seed) and age.key. They are made when they are first needed.
package bundle

// Package stanza translates the call-home part of a device's running configuration into our configuration and back, for
// IOS and IOS XE, IOS XR, NX-OS and ASA. It owns the commands of these platforms and what they mean here. It reads no
// files, checks nothing that package config checks already, and never guesses: what one side cannot say is listed.
//
// # Import
//
// A whole running configuration may be given; only the call-home part of it is read, by its indentation. Commands count
// whatever their case. A line that is not understood, or whose value is outside the platform's range, becomes a [Remark]
// and changes nothing else. Predefined profiles begin with their factory contents, so that a line changes what it
// changes on the device.
//
// # Export
//
// The stanza is written the way the platform prints it. What it has no command for follows as comments.
package stanza

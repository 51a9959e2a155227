// Package logfile follows log files as programs write and rotate them.
//
// It owns which file a name means at the moment and how far each was read. A rotated file stays open until nobody has
// written to it for a while, because writers learn late of a rotation. Kept on disk, in one state file, per file:
//
//	{path, device, inode, print of the first bytes, offset of the first line not yet taken}
//
// A line counts as taken when the sink returns. After an orderly end no line is repeated or skipped; after a crash those
// of the last second may come again. Files that were rotated while we were down are found beside the new one by inode.
package logfile

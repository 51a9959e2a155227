package aml

// Limits on what strangers send. Each is far above what any known device prints.
const (
	// DefaultMaxBytes bounds a document: the largest limit of any platform is 5 MiB, base64 and escapes may double it.
	DefaultMaxBytes = 16 << 20

	maxDepth        = 64       // the deepest known path has 9 elements
	maxElements     = 100_000  // a chassis with 1,000 cards has about 20,000
	maxAttributes   = 64       // of one element; the known ones have at most 6 with their namespaces
	maxAttrBytes    = 64 << 10 // of one value; the longest known is a system description
	maxNameBytes    = 256      // the longest known name has 31 bytes
	maxBindings     = 256      // namespace declarations in force at one place
	maxBlocks       = 256      // of one document; devices send one
	maxUnknown      = 256      // kept elements that no field is meant for
	maxUnknownBytes = 64 << 10 // their paths together; deep paths of long names would multiply a small document
)

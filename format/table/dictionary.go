package table

// Dictionary numbers the distinct values of a text column in the order of first appearance.
type Dictionary struct {
	Values []string

	codes map[string]int32 // by the bytes as they are in the file
}

// Find returns the code of a value.
func (d *Dictionary) Find(value []byte) (code int32, ok bool) {
	code, ok = d.codes[string(value)]
	return code, ok
}

// Add returns the code of a value, a new one if need be.
func (d *Dictionary) Add(value []byte) int32 {
	if code, ok := d.codes[string(value)]; ok {
		return code
	}
	text := string(value)
	return d.add(text, text)
}

// add adds a value that stands in the file as key: two ways to write a value are one.
func (d *Dictionary) add(key, value string) int32 {
	if d.codes == nil {
		d.codes = map[string]int32{}
	}
	code, ok := d.codes[value]
	if !ok {
		code = int32(len(d.Values))
		d.codes[value] = code
		d.Values = append(d.Values, value)
	}
	d.codes[key] = code
	return code
}

package ogb

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
)

// hetero is a heterogeneous data set on disk: what its smallest files say. Nothing is held open.
type hetero struct {
	Set       // of all nodes together
	kinds     []kind
	relations []relation
}

// kind is a kind of nodes: a set without edges of its own.
type kind struct {
	Set
	name  string
	first int  // its first node among all
	array bool // its features are a .npy file
}

func (k *kind) nodes() nodeRange { return nodeRange{k.first, k.Nodes} }

// relation is a kind of edges.
type relation struct {
	name     string
	from, to int    // in kinds
	folder   string // of its files
	edges    int64
}

// The files of the heterogeneous layout, without extension.
const (
	kindList     = "raw/num-node-dict"
	relationList = "raw/triplet-type-list"
)

func featuresOf(name string) string { return "raw/node-feat/" + name + "/node-feat" }
func labelsOf(name string) string   { return "raw/node-label/" + name + "/node-label" }

// mostKinds bounds how many kinds of nodes, and of edges, there may be.
const mostKinds = 1000

// IsHetero says whether dir is a folder in the heterogeneous layout, by the files that are there.
func IsHetero(dir string) bool {
	s := Set{Dir: dir}
	for _, file := range []string{kindList, relationList} {
		if _, err := s.find(file); err != nil {
			return false
		}
	}
	return true
}

// openHetero reads the counts of a data set, and which files it has.
func openHetero(dir string) (*hetero, error) {
	h := &hetero{Set: Set{Dir: dir}}
	if err := h.parse(kindList, false, h.readKinds); err != nil {
		return nil, err
	}
	if err := h.parse(relationList, false, h.readRelations); err != nil {
		return nil, err
	}
	if err := h.findScheme(); err != nil {
		return nil, err
	}
	if h.Scheme != "" {
		h.Scheme += "/" + h.kinds[0].name
	}
	return h, h.noteIgnored()
}

// noteIgnored notes the files that are not read.
func (h *hetero) noteIgnored() error {
	errs := []error{h.noteOthers("raw", kindList, relationList, "raw/nodetype-has-feat", "raw/nodetype-has-label")}
	for i := range h.kinds {
		file := featuresOf(h.kinds[i].name)
		folder := file[:strings.LastIndexByte(file, '/')]
		if err := h.noteOthers(folder, file); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for i := range h.relations {
		folder := h.relations[i].folder
		errs = append(errs, h.noteOthers(folder, folder+"/edge", folder+"/num-edge-list"))
	}
	return errors.Join(errs...)
}

// readName reads the next field as a name that names a folder, too.
func readName(t *format.Text, what string) (string, error) {
	field, _ := t.Field()
	name := string(field)
	if name == "" || len(name) > 200 || name[0] == '.' || strings.ContainsAny(name, `/\`+"\x00") || strings.Contains(name, "___") {
		return "", t.Corrupt(what, fmt.Sprintf("%.40q", name), "a name", "")
	}
	return name, nil
}

// readKinds reads a line of names and a line of counts. The kind with labels comes first.
func (h *hetero) readKinds(t *format.Text) error {
	for t.Next(); t.More(); {
		name, err := readName(t, "kind of nodes")
		if err != nil {
			return err
		}
		if h.kindOf(name) >= 0 || len(h.kinds) == mostKinds {
			return t.Corrupt("kind of nodes", name, fmt.Sprintf("up to %d different kinds", mostKinds), "")
		}
		h.kinds = append(h.kinds, kind{name: name, Set: Set{Dir: h.Dir}})
	}
	t.Next()
	for i := range h.kinds {
		n, err := t.Natural("number of nodes of kind "+h.kinds[i].name, 0, format.MaxNodes-int64(h.Nodes))
		if err != nil {
			return err
		}
		h.kinds[i].Nodes = int(n)
		h.Nodes += int(n)
	}
	if t.More() || t.Next() && t.More() {
		return t.Corrupt("numbers of nodes", "more of them", "one a kind", "sets of many graphs are not for node classification")
	}
	if err := t.Err(); err != nil {
		return err
	}
	if err := h.putLabelledFirst(t); err != nil {
		return err
	}
	first := 0
	for i := range h.kinds {
		k := &h.kinds[i]
		k.first = first
		first += k.Nodes
		if err := k.findFeatures(); err != nil {
			return err
		}
	}
	return nil
}

// putLabelledFirst makes the one kind of nodes that has labels the first.
func (h *hetero) putLabelledFirst(t *format.Text) error {
	labelled := -1
	for i := range h.kinds {
		switch _, err := h.find(labelsOf(h.kinds[i].name)); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case labelled >= 0:
			return t.Corrupt("labels", fmt.Sprintf("those of %s and of %s", h.kinds[labelled].name, h.kinds[i].name), "of one kind of nodes", "remove the other ones' folder in raw/node-label")
		default:
			labelled = i
		}
	}
	if labelled < 0 || h.kinds[labelled].Nodes == 0 {
		return t.Corrupt("labels", "none", "raw/node-label/KIND/node-label.csv.gz for one kind of nodes", "")
	}
	k := h.kinds[labelled]
	h.kinds = slices.Insert(slices.Delete(h.kinds, labelled, labelled+1), 0, k)
	return nil
}

// kindOf returns the number of a kind, −1 where there is none of that name.
func (h *hetero) kindOf(name string) int {
	return slices.IndexFunc(h.kinds, func(k kind) bool { return k.name == name })
}

// readRelations reads the relations, in the order of their names as OGB has them.
func (h *hetero) readRelations(t *format.Text) error {
	for t.Next() {
		var names [3]string
		for i := range names {
			var err error
			if names[i], err = readName(t, "relation"); err != nil {
				return err
			}
		}
		r := relation{name: names[1], from: h.kindOf(names[0]), to: h.kindOf(names[2]), folder: "raw/relations/" + strings.Join(names[:], "___")}
		switch {
		case t.More():
			return t.Corrupt("relation", "more than three names", "KIND,RELATION,KIND", "")
		case r.from < 0 || r.to < 0:
			return t.Corrupt("relation", strings.Join(names[:], ","), "kinds that "+kindList+" has", "")
		case len(h.relations) == mostKinds || slices.ContainsFunc(h.relations, func(o relation) bool { return o.folder == r.folder }):
			return t.Corrupt("relation", strings.Join(names[:], ","), fmt.Sprintf("up to %d different ones", mostKinds), "")
		}
		var err error
		if r.edges, err = h.count(r.folder+"/num-edge-list", 0, 1<<40); err != nil {
			return err
		}
		if _, err := h.find(r.folder + "/edge"); err != nil {
			return err
		}
		h.relations = append(h.relations, r)
	}
	if len(h.relations) == 0 {
		return t.Corrupt("relations", "none", "KIND,RELATION,KIND", "")
	}
	slices.SortFunc(h.relations, func(a, b relation) int { return strings.Compare(a.folder, b.folder) })
	return t.Err()
}

// findFeatures finds the features of a kind, as CSV or as an array, and their columns.
func (k *kind) findFeatures() error {
	if k.Nodes == 0 {
		return nil
	}
	if err := k.parse(featuresOf(k.name), true, k.countColumns); err != nil || k.Cols > 0 {
		return err
	}
	f, err := k.openArray()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	k.array, k.Cols = true, f.Shape[1]
	return f.Close()
}

// arrayPath is where features that are an array are.
func (k *kind) arrayPath() string {
	return filepath.Join(k.Dir, filepath.FromSlash(featuresOf(k.name))+".npy")
}

// openArray opens features that are an array of a row a node.
func (k *kind) openArray() (*npy.File, error) {
	path := k.arrayPath()
	f, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	if len(f.Shape) != 2 || f.Shape[0] != k.Nodes || f.Shape[1] < 1 {
		return nil, errors.Join(format.CorruptAt(path, -1, "features", "shape "+npy.ShapeString(f.Shape), fmt.Sprintf("(%d, columns), a row a node", k.Nodes)), f.Close())
	}
	return f, nil
}

// eachBlock hands the features of a kind on, a block of rows at a time.
func (k *kind) eachBlock(yield func(block []float32)) (err error) {
	if !k.array {
		f, err := k.openFeatures(featuresOf(k.name))
		if err != nil {
			return err
		}
		return f.each(yield)
	}
	f, err := k.openArray()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for lo, step := 0, max(1, blockValues/k.Cols); lo < k.Nodes; lo += step {
		a, err := f.ReadRows(lo, min(lo+step, k.Nodes))
		if err != nil {
			return err
		}
		block, err := a.Float32s()
		if err == nil && slices.ContainsFunc(block, func(v float32) bool { return v-v != 0 }) {
			err = errors.New("NaN or infinity")
		}
		if err != nil {
			return format.CorruptAt(k.arrayPath(), a.Offset, "features", err.Error(), "finite numbers")
		}
		yield(block)
	}
	return nil
}

// heteroGraph opens a data set and reads everything but the features.
func heteroGraph(dir string) (*hetero, *format.Graph, error) {
	h, err := openHetero(dir)
	if err != nil {
		return nil, nil, err
	}
	g, err := h.graph()
	return h, g, err
}

// graph reads everything but the features.
func (h *hetero) graph() (*format.Graph, error) {
	dir, err := filepath.Abs(h.Dir)
	if err != nil {
		return nil, err
	}
	g := &format.Graph{Name: filepath.Base(dir), Format: "ogb-hetero", Nodes: h.Nodes, Notes: slices.Clone(h.Notes)}
	for i := range h.kinds {
		g.Kinds = append(g.Kinds, format.Kind{Name: h.kinds[i].name, Nodes: h.kinds[i].Nodes})
	}
	edges, size, err := h.edges()
	if err != nil {
		return nil, err
	}
	g.Src, g.Dst = format.Reserve[int32](edges, size), format.Reserve[int32](edges, size)
	for i := range h.relations {
		r := &h.relations[i]
		err := h.parse(r.folder+"/edge", false, func(t *format.Text) error {
			return readPairs(g, t, r.edges, h.kinds[r.from].nodes(), h.kinds[r.to].nodes())
		})
		if err != nil {
			return nil, err
		}
		g.Relations = append(g.Relations, format.Relation{Name: r.name, From: r.from, To: r.to, Edges: int(r.edges)})
	}
	target := &h.kinds[0]
	if err := h.parse(labelsOf(target.name), false, func(t *format.Text) error { return target.readLabels(g, t) }); err != nil {
		return nil, err
	}
	if target.Scheme = h.Scheme; h.Scheme != "" {
		if err := target.readSplit(g); err != nil {
			return nil, err
		}
	}
	return g, g.Validate(h.Dir)
}

// edges is the number of all edges, and the size of their files.
func (h *hetero) edges() (count, size int64, err error) {
	for i := range h.relations {
		bytes, err := h.size(h.relations[i].folder + "/edge")
		if err != nil {
			return 0, 0, err
		}
		count, size = count+h.relations[i].edges, size+bytes
	}
	return count, size, nil
}

// ReadHetero reads a whole heterogeneous data set into memory: the nodes of the kind that has labels come first, and the
// features of a kind are those of raw/node-feat/KIND/node-feat.csv.gz, or node-feat.npy.
func ReadHetero(dir string) (*format.Graph, error) {
	h, g, err := heteroGraph(dir)
	if err != nil {
		return nil, err
	}
	for i := range h.kinds {
		k := &h.kinds[i]
		if k.Cols == 0 {
			continue
		}
		size, err := k.featureSize()
		if err != nil {
			return nil, err
		}
		f := &g.Kinds[i].Features
		f.Cols, f.Dense = k.Cols, format.Reserve[float32](int64(k.Nodes)*int64(k.Cols), size)
		if err := k.eachBlock(func(block []float32) { f.Dense = append(f.Dense, block...) }); err != nil {
			return nil, err
		}
	}
	return g, g.Validate(dir)
}

// DescribeHetero tells what a heterogeneous data set holds. Of features it reads the first line.
func DescribeHetero(dir string) (format.Description, error) {
	h, g, err := heteroGraph(dir)
	if err != nil {
		return format.Description{}, err
	}
	for i := range h.kinds {
		g.Kinds[i].Features.Cols = h.kinds[i].Cols
	}
	return g.Describe(dir), nil
}

// CheckHetero reads and verifies all files that ReadHetero reads; features in blocks.
func CheckHetero(dir string) error {
	h, _, err := heteroGraph(dir)
	if err != nil {
		return err
	}
	for i := range h.kinds {
		if k := &h.kinds[i]; k.Cols > 0 {
			if err := k.eachBlock(func([]float32) {}); err != nil {
				return err
			}
		}
	}
	return nil
}

// HeteroImportBytes bounds the memory that ReadHetero allocates in all, garbage included, from the counts and the sizes of the
// files.
func HeteroImportBytes(dir string) (int64, error) {
	h, err := openHetero(dir)
	if err != nil {
		return 0, err
	}
	edges, size, err := h.edges()
	if err != nil {
		return 0, err
	}
	sum := format.ReserveBytes(2*edges, 4, size)
	labels, err := h.array(labelsOf(h.kinds[0].name), int64(h.kinds[0].Nodes))
	if err != nil {
		return 0, err
	}
	const split = (7 + 1) * 4 // as in GraphBytes
	sum += 2<<20 + labels + split*int64(h.kinds[0].Nodes)
	for i := range h.kinds {
		k := &h.kinds[i]
		if k.Cols == 0 {
			continue
		}
		size, err := k.featureSize()
		if err != nil {
			return 0, err
		}
		values := int64(k.Nodes) * int64(k.Cols)
		sum += 1<<17 + 8*int64(k.Cols) + format.ReserveBytes(values, 4, size)
		if k.array {
			sum += 16 * values // blocks of them, as bytes and as numbers
		}
	}
	return sum + 1<<17*int64(len(h.relations)), nil
}

// featureSize is the size of the file of a kind's features: of an array, as float32.
func (k *kind) featureSize() (int64, error) {
	if k.array { // its header was found to agree with its size
		return 4 * int64(k.Nodes) * int64(k.Cols), nil
	}
	return k.size(featuresOf(k.name))
}

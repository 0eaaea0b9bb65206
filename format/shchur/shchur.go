package shchur

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
)

// Is says whether the file is an npz archive that holds a graph in a known layout, or a zip with one npz archive in it, of
// which only reading it tells what it holds: by the directory of the file alone.
func Is(path string) bool {
	z, err := format.OpenZip(path)
	if err != nil {
		return false
	}
	defer z.Close()
	if nested := npzMembers(z); len(nested) > 0 {
		return len(nested) == 1
	}
	_, err = detect(npy.NewArchive(z))
	return err == nil
}

// npzMembers returns the npz archives in a zip; none where it is an npz archive itself.
func npzMembers(z *format.Zip) []format.ZipMember {
	var archives []format.ZipMember
	for _, m := range z.Members {
		if strings.HasSuffix(m.Name, ".npy") {
			return nil
		}
		if strings.HasSuffix(m.Name, ".npz") && !strings.HasPrefix(m.Name, "__MACOSX/") {
			archives = append(archives, m)
		}
	}
	return archives
}

// open opens an npz archive, or the one that a zip holds.
func open(path string) (*npy.Archive, error) {
	z, err := format.OpenZip(path)
	if err != nil {
		return nil, err
	}
	a, err := inner(z)
	if err != nil {
		z.Close()
	}
	return a, err
}

// inner returns z as an archive of arrays, or the npz archive in it, read into memory.
func inner(z *format.Zip) (*npy.Archive, error) {
	if slices.ContainsFunc(z.Members, func(m format.ZipMember) bool { return strings.HasSuffix(m.Name, ".npy") }) {
		return npy.NewArchive(z), nil
	}
	archives := npzMembers(z)
	if len(archives) != 1 {
		return nil, format.CorruptAt(z.Path, -1, "zip", fmt.Sprintf("%d npz archives", len(archives)), "arrays, or one npz archive").
			WithHint("unpack it and name the npz file")
	}
	content, err := z.Read(archives[0])
	if err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	nested, err := format.NewZip(format.NewSource(z.MemberPath(archives[0]), bytes.NewReader(content), int64(len(content))))
	if err != nil {
		return nil, err
	}
	return npy.NewArchive(nested), nil
}

// Read reads the graph. Edges are the stored entries of the adjacency matrix, row by row; entries that are zero are
// dropped, and values other than one are ignored, both with a note.
func Read(path string) (*format.Graph, error) {
	a, err := open(path)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	return read(a, path)
}

func read(a *npy.Archive, path string) (*format.Graph, error) {
	layout, err := detect(a)
	if err != nil {
		return nil, err
	}
	g := &format.Graph{Name: format.BaseName(path), Format: "shchur"}
	if err := readEdges(g, a, layout); err != nil {
		return nil, err
	}
	if g.Features, err = readFeatures(a, layout); err != nil {
		return nil, err
	}
	if err := readLabels(g, a, layout); err != nil {
		return nil, err
	}
	known := layout.names()
	ignored := slices.DeleteFunc(slices.Clone(a.Names), func(name string) bool { return slices.Contains(known, name) })
	if len(ignored) > 0 {
		g.Note("arrays that are ignored: %s", strings.Join(ignored, ", "))
	}
	return g, g.Validate(a.Path())
}

// readEdges reads the adjacency matrix.
func readEdges(g *format.Graph, a *npy.Archive, l layout) error {
	adjacency, err := l.sparse(a, l.adjacency)
	if err != nil {
		return err
	}
	if adjacency.Rows != adjacency.Cols {
		return format.CorruptAt(a.Path(), -1, "adjacency matrix", fmt.Sprintf("%d × %d", adjacency.Rows, adjacency.Cols), "a square one")
	}
	g.Nodes = adjacency.Rows
	g.Src = make([]int32, 0, len(adjacency.Indices))
	g.Dst = adjacency.Indices[:0]
	zeros, weighted := 0, 0
	for row := range adjacency.Rows {
		for i := adjacency.Indptr[row]; i < adjacency.Indptr[row+1]; i++ {
			switch adjacency.Values[i] {
			case 0:
				zeros++
				continue
			case 1:
			default:
				weighted++
			}
			g.Src = append(g.Src, int32(row))
			g.Dst = append(g.Dst, adjacency.Indices[i])
		}
	}
	if zeros > 0 {
		g.Note("%d stored zeros in the adjacency matrix are no edges", zeros)
	}
	if weighted > 0 {
		g.Note("%d edge entries have a weight other than 1, which is ignored", weighted)
	}
	return nil
}

// readFeatures reads the attribute matrix, if there is one.
func readFeatures(a *npy.Archive, l layout) (format.Features, error) {
	if array := l.dense(a); array != "" {
		m, err := a.Read(array)
		if err != nil {
			return format.Features{}, err
		}
		if m.DType.Kind != 'O' {
			if len(m.Shape) != 2 {
				return format.Features{}, corrupt(a, array, "shape "+npy.ShapeString(m.Shape), "nodes × columns")
			}
			values, err := m.Float32s()
			if err != nil {
				return format.Features{}, corrupt(a, array, "", "").WithCause(err)
			}
			return format.Features{Cols: m.Shape[1], Dense: values}, nil
		}
	}
	if !l.has(a, l.attributes) {
		return format.Features{}, nil
	}
	m, err := l.sparse(a, l.attributes)
	if err != nil {
		return format.Features{}, err
	}
	return format.Features{Cols: m.Cols, Sparse: m}, nil
}

// readLabels reads labels and class names.
func readLabels(g *format.Graph, a *npy.Archive, l layout) error {
	m, err := a.Read(l.labels)
	if err != nil {
		return err
	}
	if len(m.Shape) != 1 || m.Shape[0] != g.Nodes {
		return corrupt(a, l.labels, "shape "+npy.ShapeString(m.Shape), fmt.Sprintf("%d, one per node", g.Nodes))
	}
	if g.Labels, err = m.Int32s(); err != nil {
		return corrupt(a, l.labels, "", "").WithCause(err)
	}
	if g.Nodes == 0 {
		return nil // refused by Validate
	}
	least, greatest := slices.Min(g.Labels), slices.Max(g.Labels)
	if least < -1 || int(greatest) > g.Nodes {
		return corrupt(a, l.labels, fmt.Sprintf("labels %d … %d", least, greatest), fmt.Sprintf("-1 (none), 0 … %d", g.Nodes-1))
	}
	if least == 1 {
		for i := range g.Labels {
			g.Labels[i]--
		}
		greatest--
		g.Note("labels are counted from 1 in the file; class 0 here is 1 there")
	}
	g.Classes = int(greatest) + 1
	return readClassNames(g, a)
}

// readClassNames reads class_names where it is text and fits; pickled names are ignored.
func readClassNames(g *format.Graph, a *npy.Archive) error {
	if !a.Has(classNames) {
		return nil
	}
	m, err := a.Read(classNames)
	if err != nil {
		return err
	}
	if m.DType.Kind != 'U' || len(m.Shape) != 1 || m.Shape[0] < g.Classes {
		g.Note("class names of type %s and shape %s are ignored", m.DType, npy.ShapeString(m.Shape))
		return nil
	}
	if g.ClassNames, err = m.Strings(); err != nil {
		return corrupt(a, classNames, "", "").WithCause(err)
	}
	g.Classes = len(g.ClassNames)
	return nil
}

// Describe tells what the graph is; it reads all of it.
func Describe(path string) (format.Description, error) {
	g, err := Read(path)
	if err != nil {
		return format.Description{}, err
	}
	return g.Describe(path), nil
}

// Check reads and verifies every array, used or not, and the graph.
func Check(path string) error {
	a, err := open(path)
	if err != nil {
		return err
	}
	defer a.Close()
	for _, name := range a.Names {
		if _, err := a.Read(name); err != nil {
			return err
		}
	}
	_, err = read(a, path)
	return err
}

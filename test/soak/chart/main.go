// Checks a chart as Helm and Kubernetes would: Helm's own lint, then every template as Helm renders it, decoded
// strictly as the kinds of Kubernetes: a field that there is not, or that stands twice, is an error.
//
//	chart FOLDER [NAME=VALUE...]
//
// It prints a line for each: "ok WHAT" or "not ok WHAT: WHY". Status 1 if one is not ok.
package main

import (
	"fmt"
	"os"
	"regexp"
	"sort"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/strvals"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

const namespace = "data"

func main() {
	folder := os.Args[1]
	values := map[string]any{}
	for _, given := range os.Args[2:] {
		if err := strvals.ParseInto(given, values); err != nil {
			fail(given, err)
		}
	}
	failed := !lintChart(folder, values)
	manifests, err := render(folder, values)
	if err != nil {
		fail("templates", err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, manifest := range manifests {
		failed = !decode(decoder, manifest) || failed
	}
	if failed {
		os.Exit(1)
	}
}

// Nothing of Helm's lint, down to its advice, may be said of the chart, but that it has no icon.
func lintChart(folder string, values map[string]any) bool {
	ok := true
	for _, message := range lint.All(folder, values, namespace, true).Messages {
		if message.Severity == support.InfoSev && iconless.MatchString(message.Err.Error()) {
			continue
		}
		ok = false
		fmt.Printf("not ok lint of %s: %v\n", message.Path, message.Err)
	}
	if ok {
		fmt.Println("ok lint")
	}
	return ok
}

var iconless = regexp.MustCompile(`icon is recommended`)

// The manifests of all templates, in the order of their names.
func render(folder string, values map[string]any) ([]string, error) {
	chart, err := loader.Load(folder)
	if err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: "skein", Namespace: namespace, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	manifests := []string{}
	for _, name := range names {
		parts := releaseutil.SplitManifests(files[name])
		keys := make([]string, 0, len(parts))
		for key := range parts {
			keys = append(keys, key)
		}
		sort.Sort(releaseutil.BySplitManifestsOrder(keys))
		for _, key := range keys {
			manifests = append(manifests, parts[key])
		}
	}
	return manifests, nil
}

func decode(decoder runtime.Decoder, manifest string) bool {
	object, kind, err := decoder.Decode([]byte(manifest), nil, nil)
	if err != nil {
		fmt.Printf("not ok a manifest: %v\n%s\n", err, manifest)
		return false
	}
	name := "without a name"
	if named, is := object.(interface{ GetName() string }); is {
		name = named.GetName()
	}
	fmt.Printf("ok %s %s\n", kind.Kind, name)
	return true
}

func fail(what string, err error) {
	fmt.Printf("not ok %s: %v\n", what, err)
	os.Exit(1)
}

package enforce_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

const denialOfPayments = "denied by rbi/only-india (RBI/2017-18/153): payment data is stored in India only"

// frankfurt is what a cluster there is told.
func frankfurt() map[string]string {
	data := map[string]string{
		"region": "aws/eu-central-1", "regionID": "eu-central-1", "zones": "^eu-central-1[a-z]$",
		"storageClasses": "meridian-regional,gp3", "unlabelled": "admitted",

		"processing.class.personal.eu": "allowed", "storage.class.personal.eu": "allowed",
		"processing.class.public": "allowed", "storage.class.public": "allowed",
		"processing.class.payments.in": denialOfPayments, "storage.class.payments.in": denialOfPayments,
		"processing.class.transit.only": "allowed", "storage.class.transit.only": "denied by transit/not-kept: it is not kept",
		"processing.class.soon":         "allowed until " + time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339),
		"processing.class.late":         "allowed until " + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
		"processing.dataset.orders":     "allowed",
		"classes.dataset.orders":        "payments,payments.in",
		"processing.dataset.ledger":     denialOfPayments,
		"processing.workload.checkout":  "allowed",
		"classes.workload.checkout":     "payments.in",
		"processing.class.Odd_name-2.x": "allowed",
	}
	for i := range 100 {
		data[fmt.Sprintf("processing.class.many.c%d", i)] = "denied by many/rule (Art. 1): " + strings.Repeat("a long reason ", 30)
		data[fmt.Sprintf("storage.class.many.c%d", i)] = "allowed"
	}
	return data
}

// TestAdmissionPolicies tries the policies on a real API server.
func TestAdmissionPolicies(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.apply(admissionPolicies(t))
	open, data := c.namespace("open", nil), c.namespace("data", map[string]string{"meridian.dev/data": "required"})
	c.namespace("guardrails-system", nil)

	t.Run("no parameters, nothing but what keeps the cluster alive", func(t *testing.T) {
		c := &cluster{t, c.kube, c.dynamic, c.mapper}
		c.eventually("a pod without label", func() error { return c.tryPod(open, nil) }, refused("residency-pods", "no params found"))
		c.eventually("a claim", func() error { return c.tryClaim(open, "", class("public")) }, refused("no params found"))
		c.eventually("a pod of the system", func() error { return c.tryPod("kube-system", nil) }, admitted)
		c.eventually("a pod of a namespace left alone", func() error { return c.tryPod("guardrails-system", nil) }, admitted)
	})
	c.parameters(frankfurt())
	c.eventually("parameters known", func() error { return c.tryPod(open, nil) }, admitted)
	for name, test := range map[string]func(*cluster, string, string){
		"pods": testPods, "workloads": testWorkloads, "claims": testClaims, "volumes": testVolumes,
		"storage classes": testStorageClasses, "updates": testUpdates, "type checks": testTypeChecks,
		"subresources": testSubresources, "server-side apply": testServerSideApply, "releases": testReleases, "namespaces left alone": testLeftAlone, "hand-made volumes": testHandMadeVolumes,
	} {
		t.Run(name, func(t *testing.T) { test(&cluster{t, c.kube, c.dynamic, c.mapper}, open, data) })
	}
	t.Run("unlabelled refused everywhere", func(t *testing.T) { testUnlabelledRefused(&cluster{t, c.kube, c.dynamic, c.mapper}, open) })
}

func admissionPolicies(t *testing.T) []byte {
	t.Helper()
	policies, err := enforce.AdmissionPolicies([]string{"guardrails-system"})
	if err != nil {
		t.Fatal(err)
	}
	return policies
}

func testPods(c *cluster, open, data string) {
	many := map[string]string{}
	for i := range 100 {
		many[fmt.Sprintf("meridian.dev/data-class.%d", i)] = fmt.Sprintf("many.c%d", i)
	}
	for name, try := range map[string]struct {
		namespace string
		labels    map[string]string
		want      func(error) bool
	}{
		"no label":                   {open, nil, admitted},
		"no label where data is":     {data, nil, refused("meridian/unclassified", "pods in namespace data", "meridian.dev/data-class")},
		"other labels where data is": {data, map[string]string{"team": "a"}, refused("meridian/unclassified")},
		"allowed class":              {open, class("personal.eu"), admitted},
		"allowed class where data":   {data, class("personal.eu"), admitted},
		"denied class":               {open, class("payments.in"), refused("data of class payments.in may not be processed in aws/eu-central-1", denialOfPayments)},
		"unknown class":              {open, class("nobody.knows"), refused("class nobody.knows", "meridian/unknown-class")},
		"empty class":                {open, class(""), refused("meridian/unknown-class")},
		"second class denied":        {open, map[string]string{"meridian.dev/data-class": "public", "meridian.dev/data-class.2": "payments.in"}, refused("payments.in")},
		"only a numbered class":      {data, map[string]string{"meridian.dev/data-class.2": "public"}, admitted},
		"a key that only begins so":  {data, map[string]string{"meridian.dev/data-classes": "public"}, refused("meridian/unclassified")},
		"class of other case":        {open, class("Personal.EU"), refused("meridian/unknown-class")},
		"class with odd name":        {open, class("Odd_name-2.x"), admitted},
		"processing only":            {open, class("transit.only"), admitted},
		"a hundred classes":          {open, many, refused("many/rule", "and for 99 more of its labels")},
		"allowed for a time":         {open, class("soon"), admitted},
		"the time is over":           {open, class("late"), refused("allowed until", "class late")},
		"dataset":                    {data, map[string]string{"meridian.dev/dataset": "orders"}, admitted},
		"dataset speaks for class":   {open, map[string]string{"meridian.dev/dataset": "orders", "meridian.dev/data-class": "payments.in"}, admitted},
		"and for no other":           {open, map[string]string{"meridian.dev/dataset": "orders", "meridian.dev/data-class": "nobody.knows"}, refused("nobody.knows")},
		"denied dataset":             {open, map[string]string{"meridian.dev/dataset": "ledger"}, refused("data of dataset ledger", "rbi/only-india")},
		"unknown dataset":            {open, map[string]string{"meridian.dev/dataset": "none"}, refused("meridian/unknown-dataset")},
		"workload":                   {open, map[string]string{"meridian.dev/workload": "checkout", "meridian.dev/data-class": "payments.in"}, admitted},
		"unknown workload":           {open, map[string]string{"meridian.dev/workload": "none"}, refused("workload none", "denied: nobody declared it")},
	} {
		c.eventually(name, func() error { return c.tryPod(try.namespace, try.labels) }, try.want)
	}
}

func testWorkloads(c *cluster, open, data string) {
	template := func(labels map[string]string) corev1.PodTemplateSpec {
		all := map[string]string{"app": "x"}
		for key, value := range labels {
			all[key] = value
		}
		return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: all}, Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "main", Image: "example.com/main"}},
		}}
	}
	deployment := func(namespace string, labels map[string]string) error {
		_, err := c.kube.AppsV1().Deployments(namespace).Create(c.Context(), &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "x"},
			Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}}, Template: template(labels)},
		}, dryRun)
		return err
	}
	cronJob := func(namespace string, labels map[string]string) error {
		job := template(labels)
		job.Spec.RestartPolicy = corev1.RestartPolicyNever
		_, err := c.kube.BatchV1().CronJobs(namespace).Create(c.Context(), &batchv1.CronJob{
			ObjectMeta: metav1.ObjectMeta{Name: "x"},
			Spec:       batchv1.CronJobSpec{Schedule: "0 0 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: job}}},
		}, dryRun)
		return err
	}
	for kind, try := range map[string]func(string, map[string]string) error{"deployment": deployment, "cron job": cronJob} {
		c.eventually(kind+" of an allowed class", func() error { return try(data, class("personal.eu")) }, admitted)
		c.eventually(kind+" of a denied class", func() error { return try(open, class("payments.in")) }, refused("residency-workloads", denialOfPayments))
		c.eventually(kind+" without class", func() error { return try(open, nil) }, admitted)
		c.eventually(kind+" of a class for a time", func() error { return try(open, class("soon")) }, admitted)
		c.eventually(kind+" without class where data is", func() error { return try(data, nil) }, refused("meridian/unclassified", "template"))
	}
}

func testClaims(c *cluster, open, data string) {
	for name, try := range map[string]struct {
		namespace, storageClass string
		labels                  map[string]string
		want                    func(error) bool
	}{
		"no label":               {open, "", nil, admitted},
		"no label where data is": {data, "gp3", nil, refused("meridian/unclassified", "volumes in namespace data")},
		"allowed":                {open, "gp3", class("personal.eu"), admitted},
		"allowed, generated":     {data, "meridian-regional", class("personal.eu"), admitted},
		"denied":                 {open, "gp3", class("transit.only"), refused("may not be stored in aws/eu-central-1", "transit/not-kept")},
		"unknown":                {open, "gp3", class("nobody.knows"), refused("meridian/unknown-class")},
		"unknown storage class":  {open, "elsewhere", class("personal.eu"), refused("one of meridian-regional, gp3; not by elsewhere")},
		"no storage class":       {open, "", class("personal.eu"), refused("not by none")},
		"any class without data": {open, "elsewhere", nil, admitted},
	} {
		c.eventually(name, func() error { return c.tryClaim(try.namespace, try.storageClass, try.labels) }, try.want)
	}
}

func testVolumes(c *cluster, _, _ string) {
	volume := func(labels map[string]string, key string, values ...string) error {
		wanted := &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: "probe", Labels: labels},
			Spec: corev1.PersistentVolumeSpec{
				Capacity:    corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				PersistentVolumeSource: corev1.PersistentVolumeSource{
					CSI: &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi.aws.com", VolumeHandle: "vol-1"},
				},
			},
		}
		if key != "" {
			wanted.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}},
			}}}}
		}
		_, err := c.kube.CoreV1().PersistentVolumes().Create(c.Context(), wanted, dryRun)
		return err
	}
	zone := "topology.ebs.csi.aws.com/zone"
	c.eventually("as a provisioner makes it", func() error { return volume(nil, zone, "us-east-1a") }, admitted)
	c.eventually("here", func() error { return volume(class("personal.eu"), zone, "eu-central-1a") }, admitted)
	c.eventually("here, by region", func() error { return volume(class("personal.eu"), "topology.kubernetes.io/region", "eu-central-1") }, admitted)
	c.eventually("elsewhere", func() error { return volume(class("personal.eu"), zone, "us-east-1a") }, refused("node affinity"))
	c.eventually("partly elsewhere", func() error { return volume(class("personal.eu"), zone, "eu-central-1a", "us-east-1a") }, refused("node affinity"))
	c.eventually("somewhere", func() error { return volume(class("personal.eu"), "") }, refused("node affinity"))
	c.eventually("denied", func() error { return volume(class("payments.in"), zone, "eu-central-1a") }, refused(denialOfPayments))
}

func storageClass(name, key string, values ...string) *storagev1.StorageClass {
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: "ebs.csi.aws.com"}
	if key != "" {
		class.AllowedTopologies = []corev1.TopologySelectorTerm{{MatchLabelExpressions: []corev1.TopologySelectorLabelRequirement{{Key: key, Values: values}}}}
	}
	return class
}

func testStorageClasses(c *cluster, _, _ string) {
	zone := "topology.ebs.csi.aws.com/zone"
	redundant := func(sku string) *storagev1.StorageClass {
		class := storageClass("x", zone, "eu-central-1a")
		class.Parameters = map[string]string{"skuName": sku}
		return class
	}
	located := func(location string) *storagev1.StorageClass {
		class := storageClass("x", zone, "eu-central-1a")
		class.Parameters = map[string]string{"Location": location}
		return class
	}
	clouds := func(name string) *storagev1.StorageClass {
		class := storageClass(name, "")
		class.Labels = map[string]string{"addonmanager.kubernetes.io/mode": "EnsureExists"}
		return class
	}
	two := storageClass("x", zone, "eu-central-1a")
	two.AllowedTopologies = append(two.AllowedTopologies, storageClass("", zone, "us-east-1a").AllowedTopologies...)
	for name, try := range map[string]struct {
		class *storagev1.StorageClass
		want  func(error) bool
	}{
		"anywhere":                         {storageClass("x", ""), refused("residency-storage-classes", "a storage class in aws/eu-central-1 has allowedTopologies")},
		"here":                             {storageClass("x", zone, "eu-central-1a", "eu-central-1b"), admitted},
		"here, by region":                  {storageClass("x", "topology.kubernetes.io/region", "eu-central-1"), admitted},
		"another region":                   {storageClass("x", zone, "us-east-1a"), refused("allowedTopologies")},
		"a region that begins alike":       {storageClass("x", zone, "eu-central-1", "eu-central-10a"), refused("allowedTopologies")},
		"a Local Zone in another country":  {storageClass("x", zone, "eu-central-1-waw-1a"), refused("allowedTopologies")},
		"one of two elsewhere":             {storageClass("x", zone, "eu-central-1a", "eu-west-1a"), refused("allowedTopologies")},
		"one topology of two elsewhere":    {two, refused("allowedTopologies")},
		"by a key that says nothing":       {storageClass("x", "example.com/rack", "eu-central-1a"), refused("allowedTopologies")},
		"copies in the pair":               {redundant("Standard_GRS"), refused("makes no copies in another region: Standard_GRS")},
		"copies in the pair, zonal":        {redundant("standard_ragzrs"), refused("makes no copies")},
		"copies here":                      {redundant("Standard_ZRS"), admitted},
		"made in another location":         {located("eastus"), refused("makes no volumes in another location: eastus")},
		"made in this location":            {located("eu-central-1"), admitted},
		"a cloud's own":                    {clouds("gp2"), admitted},
		"a cloud's own that may hold data": {clouds("gp3"), refused("allowedTopologies")},
	} {
		c.eventually(name, func() error { return c.tryStorageClass(try.class) }, try.want)
	}
}

func testUpdates(c *cluster, open, data string) {
	made, err := c.kube.CoreV1().Pods(open).Create(c.Context(), pod(open, class("public")), metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	relabel := func(namespace, name, label string) error {
		patch := fmt.Sprintf(`{"metadata":{"labels":{"meridian.dev/data-class":%s}}}`, label)
		_, err := c.kube.CoreV1().Pods(namespace).Patch(c.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	c.eventually("to an allowed class", func() error { return relabel(open, made.Name, `"personal.eu"`) }, admitted)
	c.eventually("to a denied class", func() error { return relabel(open, made.Name, `"payments.in"`) }, refused(denialOfPayments))
	c.eventually("to an unknown class", func() error { return relabel(open, made.Name, `"nobody.knows"`) }, refused("meridian/unknown-class"))
	c.eventually("to what is allowed for a time", func() error { return relabel(open, made.Name, `"soon"`) }, refused("allowed until", "labels of older ones stay"))
	kept, err := c.kube.CoreV1().Pods(data).Create(c.Context(), pod(data, class("public")), metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	c.eventually("to none where data is", func() error { return relabel(data, kept.Name, `null`) }, refused("meridian/unclassified"))
	annotate := func() error {
		_, err := c.kube.CoreV1().Pods(data).Patch(c.Context(), kept.Name, types.MergePatchType, []byte(`{"metadata":{"annotations":{"x":"y"}}}`), metav1.PatchOptions{})
		return err
	}
	changed := frankfurt()
	changed["processing.class.public"] = denialOfPayments
	c.parameters(changed)
	c.eventually("new rules for new pods", func() error { return c.tryPod(data, class("public")) }, refused(denialOfPayments))
	c.eventually("a pod from before goes on", annotate, admitted)
	c.eventually("under another label, too", func() error {
		_, err := c.kube.CoreV1().Pods(data).Patch(c.Context(), kept.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"team":"a"}}}`), metav1.PatchOptions{})
		return err
	}, admitted)
	c.eventually("under a further class, it is new", func() error {
		_, err := c.kube.CoreV1().Pods(data).Patch(c.Context(), kept.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"meridian.dev/data-class.2":"personal.eu"}}}`), dryPatch)
		return err
	}, refused(denialOfPayments))
	c.parameters(frankfurt())
	c.eventually("and the old rules again", func() error { return c.tryPod(data, class("public")) }, admitted)
}

// testTypeChecks wants no policy that the server has doubts about.
func testTypeChecks(c *cluster, _, _ string) {
	c.eventually("six policies, all checked", func() error {
		policies, err := c.kube.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(c.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		checked := 0
		for _, policy := range policies.Items {
			if policy.Status.TypeChecking != nil {
				checked++
			}
		}
		if checked != 6 {
			return fmt.Errorf("%d of %d", checked, len(policies.Items))
		}
		for _, policy := range policies.Items {
			if warnings := policy.Status.TypeChecking.ExpressionWarnings; len(warnings) > 0 {
				c.Fatalf("%s: %+v", policy.Name, warnings)
			}
		}
		return nil
	}, admitted)
}

func testUnlabelledRefused(c *cluster, open string) {
	strict := frankfurt()
	strict["unlabelled"] = "refused"
	c.parameters(strict)
	none := c.namespace("none", map[string]string{"meridian.dev/data": "none"})
	c.eventually("without label", func() error { return c.tryPod(open, nil) }, refused("meridian/unclassified"))
	c.eventually("with one", func() error { return c.tryPod(open, class("public")) }, admitted)
	c.eventually("where there is no data", func() error { return c.tryPod(none, nil) }, admitted)
	c.eventually("in a namespace left alone", func() error { return c.tryPod("kube-system", nil) }, admitted)
}

package podprogram_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/podprogram"
)

func TestFindScheduler(t *testing.T) {
	t.Parallel()
	found := podprogram.Scheduler{Namespace: "scheduling", ServiceAccount: "packer", ConfigMap: "packer-1", Key: "config.yaml"}
	const image = "registry.example:5000/mirror/kube-scheduler:v1.36.3@sha256:00"
	directory := corev1.VolumeMount{Name: "config", MountPath: "/etc/packer/"}
	file := corev1.VolumeMount{Name: "config", MountPath: "/etc/packer/config.yaml", SubPath: "config.yaml"}
	for name, test := range map[string]struct {
		container corev1.Container
		items     []corev1.KeyToPath
		want      bool
	}{
		"by its command":       {container: corev1.Container{Command: []string{"/usr/local/bin/kube-scheduler", "--config=/etc/packer/config.yaml"}, VolumeMounts: []corev1.VolumeMount{directory}}, want: true},
		"by its image":         {container: corev1.Container{Image: image, Args: []string{"--v=2", "--config", "/etc/packer/config.yaml"}, VolumeMounts: []corev1.VolumeMount{directory}}, want: true},
		"mounted as one file":  {container: corev1.Container{Image: image, Args: []string{"--config=/etc/packer/config.yaml"}, VolumeMounts: []corev1.VolumeMount{file}}, want: true},
		"under another name":   {container: corev1.Container{Image: image, Args: []string{"--config=/etc/packer/renamed"}, VolumeMounts: []corev1.VolumeMount{directory}}, items: []corev1.KeyToPath{{Key: "config.yaml", Path: "renamed"}}, want: true},
		"another program":      {container: corev1.Container{Command: []string{"sh"}, Args: []string{"--config=/etc/packer/config.yaml"}, Image: image, VolumeMounts: []corev1.VolumeMount{directory}}},
		"no configuration":     {container: corev1.Container{Image: image, VolumeMounts: []corev1.VolumeMount{directory}}},
		"flag without a value": {container: corev1.Container{Image: image, Args: []string{"--config"}, VolumeMounts: []corev1.VolumeMount{directory}}},
		"not mounted":          {container: corev1.Container{Image: image, Args: []string{"--config=/elsewhere/config.yaml"}, VolumeMounts: []corev1.VolumeMount{directory}}},
		"another volume":       {container: corev1.Container{Image: image, Args: []string{"--config=/etc/packer/config.yaml"}, VolumeMounts: []corev1.VolumeMount{{Name: "scratch", MountPath: "/etc/packer"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: "scheduling"},
				Spec: corev1.PodSpec{
					ServiceAccountName: "packer",
					Containers:         []corev1.Container{{Name: "sidecar", Image: "registry.example/other:1"}, test.container},
					Volumes: []corev1.Volume{
						{Name: "scratch"},
						{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
							LocalObjectReference: corev1.LocalObjectReference{Name: "packer-1"}, Items: test.items,
						}}},
					},
				},
			}
			got, ok := podprogram.FindScheduler(pod)
			if ok != test.want {
				t.Fatalf("found: %v, want %v", ok, test.want)
			}
			if ok && got != found {
				t.Errorf("got %+v, want %+v", got, found)
			}
		})
	}
}

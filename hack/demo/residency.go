package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// notLawful is fleetctl's exit code for an answer that is no.
const notLawful = 9

// askWhere shows what a compliance officer asks, and what the answers are.
func (d demo) askWhere(ctx context.Context) error {
	say("A compliance officer asks where the customers' data may be, and finds a backup that is out of line")
	if err := d.Fleetctl(ctx, "residency", "check", "dataset/customers", "--facet", "storage", "--region", "aws/eu-west-1"); err != nil {
		return err
	}
	if err := d.refuses(ctx, "residency", "check", "dataset/customers", "--facet", "backup", "--region", "azure/brazilsouth", "--geo-redundant"); err != nil {
		return err
	}
	if err := d.Fleetctl(ctx, "residency", "list"); err != nil {
		return err
	}
	return d.refuses(ctx, "residency", "audit")
}

// refuses runs a command whose answer must be no.
func (d demo) refuses(ctx context.Context, arguments ...string) error {
	err := d.Fleetctl(ctx, arguments...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == notLawful {
		return nil
	}
	return fmt.Errorf("fleetctl %s should answer no: %w", strings.Join(arguments, " "), err)
}

// rejectForeignData has the API servers of two regions judge the same pod.
func (d demo) rejectForeignData(ctx context.Context) error {
	say("The same pod with European personal data is offered to clusters in Frankfurt and in the United States")
	for _, offer := range []struct {
		cluster string
		taken   bool
	}{{"aws-eu-central-1", true}, {"aws-us-east-1", false}} {
		client, err := d.kubernetes(ctx, offer.cluster)
		if err != nil {
			return err
		}
		_, err = client.CoreV1().Pods("default").Create(ctx, customersPod(), metav1.CreateOptions{})
		if taken := err == nil; taken != offer.taken || !taken && !strings.Contains(err.Error(), "eu-gdpr-transfers/adequacy") {
			return fmt.Errorf("%s: taken is %t: %w", offer.cluster, taken, err)
		}
		answer := "taken"
		if err != nil {
			answer = err.Error()
		}
		fmt.Printf("  %s: %s\n", offer.cluster, answer)
	}
	return nil
}

func customersPod() *corev1.Pod {
	amounts := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("16Mi")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "customers", Labels: map[string]string{"team": "shop", "meridian.dev/data-class": "personal.eu"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "main", Image: "registry.k8s.io/pause:3.10", Resources: corev1.ResourceRequirements{Requests: amounts, Limits: amounts},
		}}},
	}
}

// proveIt makes an auditor's file, verifies it, changes a byte and verifies it
// again.
func (d demo) proveIt(ctx context.Context) error {
	say("The auditor's file: made, verified offline, and verified again after one byte of it was changed")
	folder, err := os.MkdirTemp("", "meridian-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "audit.html")
	if err := d.Fleetctl(ctx, "residency", "report", "--format", "html", "--title", "Residency of the shop", "--out", file); err != nil {
		return err
	}
	if err := d.Fleetctl(ctx, "evidence", "verify", file); err != nil {
		return err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed := strings.Replace(string(content), "Brazil", "Brasil", 1)
	if changed == string(content) {
		return errors.New("the report does not mention Brazil")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		return err
	}
	err = d.Fleetctl(ctx, "evidence", "verify", file)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("the changed file should be found out: %w", err)
	}
	return d.Fleetctl(ctx, "evidence", "verify")
}

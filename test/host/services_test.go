package host

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"fieldgate/test/host/harness"
)

// go-plugin's own messages are in a package nobody may import; these calls send and take empty ones, which are the same on the wire.

func TestHealthServiceSaysServingForPlugin(t *testing.T) {
	plugin := start(t, harness.Options{})
	answer, err := healthpb.NewHealthClient(plugin.Conn).Check(within(t), &healthpb.HealthCheckRequest{Service: "plugin"})
	must(t, err)
	if answer.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health of plugin is %s", answer.Status)
	}
}

func TestHealthServiceDoesNotKnowOtherServices(t *testing.T) {
	plugin := start(t, harness.Options{})
	_, err := healthpb.NewHealthClient(plugin.Conn).Check(within(t), &healthpb.HealthCheckRequest{Service: "nobody"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("health of an unknown service: %v", err)
	}
}

// staysOpen opens a stream and checks that it is still open after a while and ends when it is taken back.
func staysOpen(t *testing.T, conn *grpc.ClientConn, method string, clientStreams bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: clientStreams}, method)
	must(t, err)
	if !clientStreams {
		must(t, stream.SendMsg(&emptypb.Empty{}))
		must(t, stream.CloseSend())
	}
	ended := make(chan error, 1)
	go func() { ended <- stream.RecvMsg(&emptypb.Empty{}) }()
	select {
	case err := <-ended:
		t.Fatalf("%s ended by itself: %v", method, err)
	case <-time.After(300 * time.Millisecond):
	}
	cancel()
	select {
	case err := <-ended:
		if status.Code(err) != codes.Canceled && !errors.Is(err, context.Canceled) {
			t.Errorf("%s ended with %v", method, err)
		}
	case <-time.After(patience):
		t.Errorf("%s did not end when it was cancelled", method)
	}
}

func TestStdioStreamStaysOpenUntilItIsCancelled(t *testing.T) {
	staysOpen(t, start(t, harness.Options{}).Conn, "/plugin.GRPCStdio/StreamStdio", false)
}

func TestBrokerStreamStaysOpenUntilItIsCancelled(t *testing.T) {
	staysOpen(t, start(t, harness.Options{}).Conn, "/plugin.GRPCBroker/StartStream", true)
}

func TestControllerShutdownIsAnsweredAndEndsTheProcess(t *testing.T) {
	plugin := start(t, harness.Options{})
	began := time.Now()
	must(t, plugin.Conn.Invoke(within(t), "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{}))
	eventually(t, patience, func() error {
		if !plugin.Exited() {
			return errors.New("it still runs")
		}
		return nil
	})
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s from the Shutdown call to the end", took)
	}
}

func TestServicesWeDoNotHaveAreUnimplemented(t *testing.T) {
	plugin := start(t, harness.Options{})
	for _, method := range []string{"/pluginv2.AdmissionControl/ValidateAdmission", "/pluginv2.ResourceConversion/ConvertObjects"} {
		err := plugin.Conn.Invoke(within(t), method, &emptypb.Empty{}, &emptypb.Empty{})
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", method, err)
		}
	}
}

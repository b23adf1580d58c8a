using System.Diagnostics;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox.Tests;

/// <summary>The sandbox's cluster is honest when the real <c>kubectl</c> believes it. It lives in real time, as the program does.</summary>
public sealed class KubectlTests : IDisposable
{
    private const string Program = "/usr/bin/kubectl";
    private const string Broken = "aks-gpu-24815391-vmss000002";
    private readonly string _folder = Directory.CreateTempSubdirectory("kubectl-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task RealKubectl_ReadsAndChangesTheCluster()
    {
        Assert.SkipUnless(File.Exists(Program), "Debian's package kubernetes-client is not installed here.");
        await using var sandbox = await SandboxServer.StartAsync(new SandboxOptions { Port = 0 }, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_folder, "config"), $$"""
            apiVersion: v1
            kind: Config
            clusters: [{ name: b, cluster: { server: "{{sandbox.BaseAddress}}kubernetes/b" } }]
            contexts: [{ name: b, context: { cluster: b, user: practice, namespace: inference } }]
            current-context: b
            users: [{ name: practice, user: { token: practice } }]
            """, TestContext.Current.CancellationToken);

        (await RunAsync("get pods")).ShouldMatch(@"NAME +READY +STATUS +RESTARTS +AGE\n(.*\n)*llm-b-0 +1/1 +Running +0 +6d\n");
        (await RunAsync("get pod llm-b-77 -o jsonpath={.status.phase}")).ShouldBe("Running", "any llm-b-N that is asked for exists");
        (await RunAsync("get nodes")).ShouldContain($"{Broken}    Ready    <none>   6d    v1.33.0-practice\n");
        (await RunAsync("get deployments")).ShouldMatch(@"tokenizer +1/1 +1 +1 +6d\n");
        (await RunAsync("describe pod llm-b-0")).ShouldContain("Controlled By:    StatefulSet/llm-b\n");
        (await RunAsync("describe pod llm-b-0")).ShouldContain("Successfully assigned the pod to aks-gpu-24815391-vmss000000");
        (await RunAsync("logs llm-b-0 --tail=1")).ShouldBe("WARNING engine loop has not advanced for 10 s, 48 requests waiting\n");
        (await RunAsync($"describe node {Broken}")).ShouldContain("Failed: expected 8 GPUs, found 7");
        (await RunAsync("auth can-i create pods/eviction")).ShouldBe("yes\n");
        (await RunAsync("auth can-i --list")).ShouldContain("*.*");

        var before = await UidAsync("llm-b-0");
        (await RunAsync("delete pod llm-b-0")).ShouldBe("pod \"llm-b-0\" deleted\n");
        (await RunAsync("wait pod/llm-b-0 --for=condition=Ready --timeout=30s")).ShouldBe("pod/llm-b-0 condition met\n");
        (await UidAsync("llm-b-0")).ShouldNotBe(before);
        (await RunAsync("logs llm-b-0 --previous")).ShouldContain("CUDA out of memory");

        await RunAsync($"cordon {Broken}");
        (await RunAsync($"get node {Broken}")).ShouldContain("Ready,SchedulingDisabled");
        await RunAsync($"uncordon {Broken}");
        (await RunAsync($"get node {Broken} -o jsonpath={{.spec.unschedulable}}")).ShouldBeEmpty();
        (await RunAsync($"drain {Broken} --ignore-daemonsets")).ShouldContain($"node/{Broken} drained\n");
        (await RunAsync($"get pods -A --field-selector=spec.nodeName={Broken} -o name")).ShouldMatch(@"^pod/dcgm-exporter-[a-z0-9]+\n$");
        await RunAsync($"taint nodes {Broken} gpu=broken:NoSchedule");
        (await RunAsync($"get node {Broken} -o jsonpath={{.spec.taints[0].key}}")).ShouldBe("gpu");

        (await RunAsync("get aigatewayroutes -n chat")).ShouldMatch(@"NAME +STATUS\nassist +Accepted\n");
        await RunAsync("patch aigatewayroute assist -n chat --type=merge -p {\"spec\":{\"rules\":[{\"backendRefs\":[{\"name\":\"chat-vllm\",\"weight\":5}]}]}}");
        (await RunAsync("get aigatewayroute assist -n chat -o jsonpath={.spec.rules[0].backendRefs[0].weight}/{.metadata.generation}/{.status.conditions[0].type}")).ShouldBe("5/2/Accepted");

        await RunAsync("rollout restart deployment/tokenizer");
        (await RunAsync("rollout status deployment/tokenizer --timeout=30s")).ShouldEndWith("deployment \"tokenizer\" successfully rolled out\n");
        (await RunAsync("get pods -l app=tokenizer -o name")).ShouldNotContain("x2x4v");
        await RunAsync("scale deployment/tokenizer --replicas=3");
        (await RunAsync("rollout status deployment/tokenizer --timeout=30s")).ShouldEndWith("successfully rolled out\n");
        (await RunAsync("get deployment tokenizer -o jsonpath={.status.readyReplicas}")).ShouldBe("3");
        (await RunAsync("delete pod debug-shell")).ShouldBe("pod \"debug-shell\" deleted\n");
        (await RunAsync("get pod debug-shell", code: 1)).ShouldBe("Error from server (NotFound): pods \"debug-shell\" not found\n");
    }

    private async Task<string> UidAsync(string pod) => await RunAsync($"get pod {pod} -o jsonpath={{.metadata.uid}}");

    private async Task<string> RunAsync(string arguments, int code = 0)
    {
        var start = new ProcessStartInfo(Program, arguments.Split(' ')) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["KUBECONFIG"], start.Environment["HOME"]) = (Path.Combine(_folder, "config"), _folder);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(code, $"kubectl {arguments}: {await error}");
        return code == 0 ? output : await error;
    }
}

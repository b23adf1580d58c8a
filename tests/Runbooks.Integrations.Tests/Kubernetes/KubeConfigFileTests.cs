using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>A kubeconfig file is mended and renewed while the process runs.</summary>
public sealed class KubeConfigFileTests : OnTheSandbox
{
    private static readonly object s_with = new { cluster = "k", @namespace = "inference", pod = "llm-b-1", quietFor = "0s" };

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.kubeconfig");

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["Kubernetes:Clusters:k:KubeConfig"] = _file };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    [Fact]
    public async Task FileThatComesLater_IsRead()
    {
        (await SummaryAsync()).ShouldStartWith("The configuration of cluster 'k' cannot be used: kubeconfig file not found");

        await WriteAsync($"{SandboxAddress.ToString().TrimEnd('/')}/kubernetes/b", minute: 1);
        (await SummaryAsync()).ShouldContain("Running, ready");

        File.Delete(_file);
    }

    /// <summary>Whoever writes a file empties it first.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("current-context: c\ncontexts:")]
    [InlineData("current-context: c\ncontexts: [{ context: { cluster: c } }]")]
    [InlineData("clusters: [")]
    public async Task FileThatIsHalfWritten_CannotBeUsedAndLeavesWhatWasReadBefore(string half)
    {
        await WriteHalfAsync(half, minute: 1);
        (await SummaryAsync()).ShouldStartWith("The configuration of cluster 'k' cannot be used: ");

        await WriteAsync($"{SandboxAddress.ToString().TrimEnd('/')}/kubernetes/b", minute: 2);
        (await SummaryAsync()).ShouldContain("Running, ready");

        await WriteHalfAsync(half, minute: 3);
        (await SummaryAsync()).ShouldContain("Running, ready");

        File.Delete(_file);
    }

    [Fact]
    public async Task FileThatIsWrittenAnew_IsReadAnew()
    {
        await WriteAsync($"{SandboxAddress.ToString().TrimEnd('/')}/nowhere", minute: 1);
        (await SummaryAsync()).ShouldNotContain("Running, ready");

        await WriteAsync($"{SandboxAddress.ToString().TrimEnd('/')}/kubernetes/b", minute: 2);
        (await SummaryAsync()).ShouldContain("Running, ready");

        File.Delete(_file);
    }

    /// <summary>Whatever puts a new file in its place may keep the time of the one before.</summary>
    [Fact]
    public async Task IdentityThatTheClusterDoesNotKnow_IsReadAnew()
    {
        await WriteAsync($"{SandboxAddress.ToString().TrimEnd('/')}/kubernetes/b", minute: 1);
        (await SummaryAsync()).ShouldContain("Running, ready");
        await WriteAsync($"{SandboxAddress.ToString().TrimEnd('/')}/nowhere", minute: 1);
        (await SummaryAsync()).ShouldContain("Running, ready");

        await FaultAsync("kubernetes", "401", on: "GET ");
        (await SummaryAsync()).ShouldContain("does not know this identity (401)");
        (await SummaryAsync()).ShouldNotContain("Running, ready");

        File.Delete(_file);
    }

    /// <summary>It may start a program that signs in, and in an outage each step fails.</summary>
    [Fact]
    public async Task FileIsReadAnew_OnlyAfterARefusalAndAtMostOnceAMinute()
    {
        await WriteAsync("https://nowhere.example", minute: 1);
        var reads = 0;
        using var connection = new ConfiguredConnection(
            () =>
            {
                reads++;
                return new(new k8s.KubernetesClientConfiguration { Host = "https://nowhere.example" });
            },
            Clock,
            _file);

        async Task<int> AfterAsync(bool reached)
        {
            connection.Invalidate(reached);
            await connection.OpenAsync(Cancel);
            return reads;
        }

        (await AfterAsync(reached: false)).ShouldBe(1);
        (await AfterAsync(reached: false)).ShouldBe(1);
        (await AfterAsync(reached: true)).ShouldBe(2);
        (await AfterAsync(reached: true)).ShouldBe(2);
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await AfterAsync(reached: true)).ShouldBe(3);

        File.Delete(_file);
    }

    private async Task<string> SummaryAsync() => (await AskAsync("kubernetes.pod", s_with)).Summary;

    private async Task WriteHalfAsync(string half, int minute)
    {
        await File.WriteAllTextAsync(_file, half, Cancel);
        File.SetLastWriteTimeUtc(_file, new DateTime(2026, 11, 24, 3, minute, 0, DateTimeKind.Utc));
    }

    private async Task WriteAsync(string server, int minute)
    {
        await File.WriteAllTextAsync(
            _file,
            $$"""
            apiVersion: v1
            kind: Config
            current-context: c
            clusters: [{ name: c, cluster: { server: "{{server}}" } }]
            contexts: [{ name: c, context: { cluster: c, user: u } }]
            users: [{ name: u, user: { token: practice } }]
            """,
            Cancel);
        File.SetLastWriteTimeUtc(_file, new DateTime(2026, 11, 24, 3, minute, 0, DateTimeKind.Utc));
    }
}

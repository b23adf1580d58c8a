using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox.Tests;

/// <summary>A test with a sandbox of its own on a virtual clock.</summary>
public abstract class OnVirtualSandbox : IAsyncLifetime
{
    private SandboxServer? _sandbox;

    protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 3, 0, 0, TimeSpan.Zero));

    protected HttpClient Http { get; } = new();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _sandbox = await SandboxServer.StartAsync(new SandboxOptions { Port = 0, Time = Clock }, Cancel);
        Http.BaseAddress = _sandbox.BaseAddress;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Http.Dispose();
        await (_sandbox?.DisposeAsync() ?? default);
    }

    protected async Task<JsonElement> JsonAsync(string path) => await Http.GetFromJsonAsync<JsonElement>(path, Cancel);

    protected Task<HttpResponseMessage> FaultAsync(object fault) => Http.PostAsJsonAsync("/_sandbox/faults", fault, Cancel);
}

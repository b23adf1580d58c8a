using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox.Tests;

/// <summary>A test with a practice range of its own on a virtual clock.</summary>
public abstract class OnTheRange : IAsyncLifetime
{
    private PracticeRangeServer? _range;

    protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 3, 0, 0, TimeSpan.Zero));

    protected HttpClient Http { get; } = new();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _range = await PracticeRangeServer.StartAsync(new PracticeRangeOptions { Port = 0, Time = Clock }, Cancel);
        Http.BaseAddress = _range.BaseAddress;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Http.Dispose();
        await (_range?.DisposeAsync() ?? default);
    }

    protected async Task<JsonElement> JsonAsync(string path) => await Http.GetFromJsonAsync<JsonElement>(path, Cancel);

    protected Task<HttpResponseMessage> FaultAsync(object fault) => Http.PostAsJsonAsync("/_range/faults", fault, Cancel);
}

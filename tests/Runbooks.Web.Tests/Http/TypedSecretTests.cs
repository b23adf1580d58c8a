using System.Net.Http.Json;
using System.Text.Json;
using TestKit;

namespace Runbooks.Web.Tests.Http;

/// <summary>People copy into a reason what they have just read in a log. It is kept and sent on, so its secrets are hidden first.</summary>
public sealed class TypedSecretTests : IAsyncLifetime
{
    private const string Planted = "PLANTED-d41d8cd98f00b204";
    private const string Reason = $"llm-b-0 answers 401 since API_KEY={Planted} was rotated";

    private readonly WebHost _host = new();

    [Theory]
    [InlineData("/api/runbooks/hanged-gpu/incidents")]
    [InlineData("/api/incidents/{0}/decision")]
    [InlineData("/api/incidents/{0}/cancel")]
    [InlineData("/api/incidents/{0}/notes")]
    [InlineData("/api/safety/kill")]
    public async Task SecretInAReason_IsNotKept(string address)
    {
        var id = await _host.OpenAsync(Some.Waiting());

        var answer = await _host.Api.PostAsJsonAsync(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, address, id),
            new { decision = "reject", by = "ada", reason = Reason, labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-9" } }, Cancel);

        answer.IsSuccessStatusCode.ShouldBeTrue();
        string[] told = [await answer.Content.ReadAsStringAsync(Cancel), JsonSerializer.Serialize(_host.Store.All), await _host.Api.GetStringAsync("/api/safety", Cancel)];
        told.ShouldAllBe(text => !text.Contains(Planted, StringComparison.Ordinal));
        told.ShouldContain(text => text.Contains("since API_KEY=", StringComparison.Ordinal));
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}

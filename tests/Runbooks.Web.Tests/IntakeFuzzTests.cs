using System.Net;
using System.Net.Http.Headers;
using CsCheck;
using TestKit.Alerts;

namespace Runbooks.Web.Tests;

/// <summary>Whatever is posted, the sender gets an answer that is about the post, and nothing breaks or piles up.</summary>
public sealed class IntakeFuzzTests : IAsyncLifetime
{
    private const int Posts = 4_000;

    private static readonly string s_cases = Path.Combine(AppContext.BaseDirectory, "cases");

    private static readonly (string Source, byte[] Body)[] s_posts =
    [
        .. Directory.EnumerateFiles(s_cases, "alert.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => (Path.GetRelativePath(s_cases, file).Split(Path.DirectorySeparatorChar)[0], File.ReadAllBytes(file))),
    ];

    private readonly WebHost _host = new();

    [Fact]
    public async Task DamagedPosts_AreTakenOrRefusedAndNeverBreakAnything()
    {
        await Gen.OneOf(DamagedPosts.OneValueReplaced(s_posts), DamagedPosts.BytesDamaged(s_posts)).SampleAsync(PostAsync, iter: 500);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        await Gen.OneOf(DamagedPosts.OneValueReplaced(s_posts), DamagedPosts.BytesDamaged(s_posts)).SampleAsync(PostAsync, iter: Posts);

        _host.Logged.ShouldNotContain(line => line.Contains("broke", StringComparison.Ordinal));
        _host.Logged.Clear();
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;

        // What was opened stands in the store of this test; nothing else may stay.
        grown.ShouldBeLessThan(16_000_000L + (_host.Store.All.Count * 20_000L));
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task PostAsync((string Source, byte[] Body) post)
    {
        using var content = new ByteArrayContent(post.Body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await _host.Api.PostAsync($"/api/alerts/{post.Source}", content, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBeOneOf(HttpStatusCode.Accepted, HttpStatusCode.BadRequest);
    }
}

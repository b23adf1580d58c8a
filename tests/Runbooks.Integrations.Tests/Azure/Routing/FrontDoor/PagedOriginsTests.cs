using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.Routing;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure.Routing.FrontDoor;

/// <summary>A list of Azure's may come in pages, each with the address of the next.</summary>
public sealed class PagedOriginsTests : WithServer
{
    private const string Profile = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Cdn/profiles/fd";

    private void Answer(Func<int, string?> next) => _server.Answer = context =>
    {
        var page = int.TryParse(context.Request.Query["page"], out var number) ? number : 0;
        return context.Response.WriteAsync(context.Request.Path.Value!.Contains("metrics", StringComparison.Ordinal)
            ? """{"value":[]}"""
            : $$$"""{"value":[{"name":"o{{{page}}}","properties":{"hostName":"o{{{page}}}.example","enabledState":"Enabled","priority":1,"weight":50}}]{{{(next(page) is { } link ? $",\"nextLink\":\"{link}\"" : "")}}}}""");
    };

    private async Task<string?> RefusalAsync(string from)
    {
        await using var services = _server.Azure(all => all.AddFrontDoor());
        var context = _server.Step();
        var preparation = await services.GetServices<IAction>().Single(one => one.Name == "frontDoor.reroute").PrepareAsync(
            new FrontDoorRerouteParameters { Profile = Profile, OriginGroup = "models", From = from }, context, TestContext.Current.CancellationToken);
        return preparation.Refusal;
    }

    [Fact]
    public async Task OriginsOfAllPages_AreSeen()
    {
        Answer(page => page < 2 ? $"{_server.Url}{Profile}/originGroups/models/origins?page={page + 1}" : null);

        (await RefusalAsync("nobody")).ShouldBe("There is no 'nobody'. There are: o0, o1, o2.");
    }

    [Fact]
    public async Task PageElsewhere_GetsNoToken()
    {
        Answer(_ => "https://elsewhere.example/origins");

        (await Should.ThrowAsync<AzureRequestException>(() => RefusalAsync("o0"))).Message.ShouldContain("goes on at elsewhere.example, which is not a host of 127.0.0.1");
    }

    [Fact]
    public async Task ListWithoutAnEnd_IsAnError()
    {
        Answer(page => $"{_server.Url}{Profile}/originGroups/models/origins?page={page + 1}");

        (await Should.ThrowAsync<AzureRequestException>(() => RefusalAsync("o0"))).Message.ShouldContain("has more than 20 pages, so not all of it was read");
    }
}

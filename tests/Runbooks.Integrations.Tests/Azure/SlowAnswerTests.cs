using Azure.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

/// <summary>What is not sent again is waited for as long as its step or check has time; only reads are given up early, and asked again.</summary>
public sealed class SlowAnswerTests : OnTheSandbox
{
    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["OutboundHttp:AttemptTimeout"] = "00:00:00.1" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzure().AddHttpRequest();

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    public async Task ChangeThatTakesLongerThanARead_IsNotGivenUp(string method)
    {
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapFallback("/{**path}", async (HttpRequest request) =>
        {
            if (request.Method == "GET")
            {
                await new TaskCompletionSource().Task.WaitAsync(request.HttpContext.RequestAborted);
            }

            asked.SetResult();
            await answer.Task;
        });
        await app.StartAsync(Cancel);

        var changing = SendAsync(app, RequestMethod.Parse(method));
        await asked.Task;
        // Asked later, and given up already.
        (await Should.ThrowAsync<AzureRequestException>(() => SendAsync(app, RequestMethod.Get))).Message.ShouldContain("cannot be reached");
        answer.SetResult();

        (await changing).Status.ShouldBe(200);
    }

    [Fact]
    public void RequestOfARunbook_HasTheTimeThatItsStepSays() =>
        Services.GetRequiredService<IHttpClientFactory>().CreateClient(HttpRequestAction.Client).Timeout.ShouldBe(Timeout.InfiniteTimeSpan);

    private Task<AzureResponse> SendAsync(WebApplication app, RequestMethod method)
    {
        var endpoint = new Uri(app.Urls.First());
        return Services.GetRequiredService<AzurePipelines>().To(endpoint, "https://management.azure.com/.default")
            .SendAsync(new AzureRequest(method, new Uri(endpoint, "/thing"), "change it", "thing", "Owner"), Cancel);
    }
}

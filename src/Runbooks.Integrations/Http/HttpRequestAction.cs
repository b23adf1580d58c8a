using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Settings;

namespace Runbooks.Integrations.Http;

/// <summary>Section <c>HttpRequest</c>.</summary>
public sealed class HttpRequestOptions
{
    public const string SectionName = "HttpRequest";

    /// <summary>Hosts that may be called: <c>name</c>, <c>name:port</c> or <c>*.domain</c>; none means that nothing may be called.</summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Those of them whose address may be private.</summary>
    public IList<string> PrivateHosts { get; } = [];
}

public sealed record HttpRequestParameters
{
    [Required, HttpUrl]
    [Description("Where to send it; the configuration has to allow the host.")]
    public required string Url { get; init; }

    [Description("How.")]
    public WriteMethod Method { get; init; } = WriteMethod.Post;

    [Description("The body, sent as JSON.")]
    public JsonObject? Body { get; init; }

    [Secret, RegularExpression("^[A-Za-z0-9._~+/=-]{1,4000}$")]
    [Description("A bearer token.")]
    public string? Token { get; init; }

    [Range(200, 399)]
    [Description("The status code that means success; any 2xx when left out.")]
    public int? ExpectStatus { get; init; }
}

public enum WriteMethod { Post, Put, Patch, Delete }

/// <summary>Calls a web hook or an API. It carries an idempotency key, but nobody here knows whether the other side heeds it.</summary>
internal sealed class HttpRequestAction(IHttpClientFactory clients, IOptions<HttpRequestOptions> options)
    : RunbookAction<HttpRequestParameters>("http.request", "Sends one HTTP request to a host that the configuration allows.")
{
    public const string Client = "http.request";

    public override bool Repeatable => false;

    protected override Task<Preparation> PrepareAsync(HttpRequestParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var url = new Uri(parameters.Url);
        return Task.FromResult(new Preparation
        {
            PlannedEffect = $"{Verb(parameters)} {Shown(url)} with {(parameters.Body is null ? "no body" : parameters.Body.ToJsonString())}.",
            Refusal = Refusal(parameters, url),
        });
    }

    protected override async Task<ActionResult> ApplyAsync(
        HttpRequestParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var url = new Uri(parameters.Url);
        if (Refusal(parameters, url) is { } refusal)
        {
            throw new StepRefusedException(refusal);
        }

        using var request = new HttpRequestMessage(new HttpMethod(Verb(parameters)), url);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("runbooks", "1.0"));
        request.Headers.TryAddWithoutValidation("Idempotency-Key", context.IdempotencyKey);
        request.Headers.Authorization = parameters.Token is null ? null : new AuthenticationHeaderValue("Bearer", parameters.Token);
        request.Content = parameters.Body is null ? null : new StringContent(parameters.Body.ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var answer = await clients.CreateClient(Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var status = (int)answer.StatusCode;
            return (parameters.ExpectStatus is { } expected ? status == expected : answer.IsSuccessStatusCode)
                ? new ActionResult(FormattableString.Invariant($"{Verb(parameters)} {Shown(url)} answered {status}."))
                : throw new StepRefusedException(FormattableString.Invariant($"{Shown(url)} answered {status}, which is not success."));
        }
        catch (HttpRequestException failed) when (failed.InnerException is EgressRefusedException refused)
        {
            throw new StepRefusedException($"{Shown(url)} was not called: {refused.Message}");
        }
    }

    private string? Refusal(HttpRequestParameters parameters, Uri url)
    {
        if (!new EgressGuard([.. options.Value.AllowedHosts]).Allows(url.Host, url.Port))
        {
            return $"{url.Authority} is not among {HttpRequestOptions.SectionName}:AllowedHosts. Add it there if it is meant.";
        }

        return parameters.Token is not null && url is { Scheme: "http", IsLoopback: false } ? "A token is never sent over plain http. Use https." : null;
    }

    private static string Verb(HttpRequestParameters parameters) => parameters.Method.ToString().ToUpperInvariant();

    // Without the query: it is where people put keys.
    private static string Shown(Uri url) => url.GetLeftPart(UriPartial.Path);
}

public static class HttpRequestRegistration
{
    /// <summary>The action <c>http.request</c>.</summary>
    public static IServiceCollection AddHttpRequest(this IServiceCollection services)
    {
        services.AddSettings<HttpRequestOptions>(HttpRequestOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddHttpClient(HttpRequestAction.Client)
            .ConfigureHttpClient(client => client.Timeout = TimeSpan.FromSeconds(30))
            .ConfigurePrimaryHttpMessageHandler(provider =>
                new EgressGuard([.. provider.GetRequiredService<IOptions<HttpRequestOptions>>().Value.PrivateHosts]).CreateHandler())
            .RemoveAllLoggers();
        return services.AddSingleton<IAction, HttpRequestAction>();
    }
}

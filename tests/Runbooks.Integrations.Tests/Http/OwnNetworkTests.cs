using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Azure;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Llm;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Http;

public sealed class OwnNetworkTests
{
    [Theory]
    [InlineData(SocketError.HostNotFound, "its name leads to no address. no way")]
    [InlineData(SocketError.TryAgain, "its name leads to no address. no way")]
    [InlineData(SocketError.NetworkUnreachable, "this machine has no route to the server's network. no way")]
    [InlineData(SocketError.TooManyOpenSockets, "this machine could open no connection. no way")]
    [InlineData(SocketError.AddressNotAvailable, "this machine could open no connection. no way")]
    [InlineData(SocketError.AccessDenied, "this machine could open no connection. no way")]
    // The last router says this of a server that is off.
    [InlineData(SocketError.HostUnreachable, null)]
    [InlineData(SocketError.ConnectionRefused, null)]
    [InlineData(SocketError.TimedOut, null)]
    public void OwnTrouble_IsToldFromThatOfTheServer(SocketError error, string? words) =>
        OwnNetwork.Trouble(new HttpRequestException("no way", new SocketException((int)error))).ShouldBe(words);

    /// <summary>A person never sees an inner exception.</summary>
    [Theory]
    [InlineData(HttpRequestError.SecureConnectionError, "it has expired", "is reached, but no secure connection to it comes about: it has expired")]
    [InlineData(HttpRequestError.SecureConnectionError, "bad chain: UntrustedRoot", "is reached, but no secure connection to it comes about: bad chain: UntrustedRoot (or its authority is not known to this machine)")]
    [InlineData(HttpRequestError.ConnectionError, "Connection refused", "cannot be reached: outer (host:443)")]
    [InlineData(HttpRequestError.ResponseEnded, "The response ended.", "is reached, but gives no whole answer: The response ended.")]
    [InlineData(HttpRequestError.ConfigurationLimitExceeded, "More than 4 MB.", "is reached, but answers with more than is read: More than 4 MB.")]
    public void ServerThatGaveNoAnswer_IsToldByTheCause(HttpRequestError error, string cause, string words) =>
        OwnNetwork.Describe(Failed(error, cause)).ShouldBe(words);

    [Theory]
    [InlineData(HttpRequestError.SecureConnectionError, "is reached to list models, but no secure connection to it comes about: why")]
    [InlineData(HttpRequestError.ConfigurationLimitExceeded, "is reached to list models, but answers with more than is read: why")]
    [InlineData(HttpRequestError.ConnectionError, "cannot be reached to list models: outer (host:443)")]
    public void WhatWasAskedOfIt_IsSaid(HttpRequestError error, string words) => OwnNetwork.Describe(Failed(error, "why"), "list models").ShouldBe(words);

    /// <summary>As the libraries of Azure have it, after they have tried again.</summary>
    [Fact]
    public void ServerThatIsNotTrusted_IsToldThroughWhatALibraryPutsRoundIt() =>
        OwnNetwork.Describe(new AggregateException(new RequestFailedException("see inner", Failed(HttpRequestError.SecureConnectionError, "it has expired")))).ShouldBe("is reached, but no secure connection to it comes about: it has expired");

    /// <summary>The address may be the secret, and none is in what TLS says.</summary>
    [Theory]
    [InlineData(HttpRequestError.SecureConnectionError, "Slack is reached, but no secure connection to it comes about: why.")]
    [InlineData(HttpRequestError.ConfigurationLimitExceeded, "Slack is reached, but answers with more than is read: why.")]
    [InlineData(HttpRequestError.InvalidResponse, "Slack is reached, but gives no whole answer: why.")]
    [InlineData(HttpRequestError.ConnectionError, "Slack cannot be reached (ConnectionError).")]
    public void ServerWhoseAddressIsSecret_IsToldWithoutIt(HttpRequestError error, string words) => HttpFailure.InWords("Slack", Failed(error, "why")).ShouldBe(words);

    private static HttpRequestException Failed(HttpRequestError error, string cause) => new(error, "outer (host:443)", new IOException("middle", new IOException(cause)));
}

/// <summary>The usual way in which DNS is down: packets are dropped, and a check's time is up before the resolver gives up.</summary>
public sealed class SilentDnsTests : OnTheSandbox
{
    private readonly TaskCompletionSource<string> _lookedUp = new();

    protected override IServiceCollection Add(IServiceCollection services)
    {
        services.AddHttpProbe().AddLlmProvider();
        services.AddHttpClient(HttpProbe.Client).ConfigurePrimaryHttpMessageHandler(() => new EgressGuard([], "HttpProbe:AllowedHosts", LookUpAsync).CreateHandler());
        services.AddHttpClient(LlmProviderCheck.Client).ConfigurePrimaryHttpMessageHandler(() => LlmProviderCheck.Handler(LookUpAsync));
        return services;
    }

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["LlmProvider:Providers:practice:Url"] = "https://silent.example/v1" };

    private Task<IPAddress[]> LookUpAsync(string host)
    {
        _lookedUp.TrySetResult(host);
        return new TaskCompletionSource<IPAddress[]>().Task;
    }

    /// <summary>Otherwise the plan would have no time left, and nobody could approve it.</summary>
    [Fact]
    public async Task NameThatIsNotResolvedSoon_RefusesNoPlan()
    {
        var refusal = new EgressGuard([], "HttpRequest:PrivateHosts", LookUpAsync, Clock).FindRefusalAsync("slow.example", 443, Cancel);

        Clock.Advance(TimeSpan.FromSeconds(5));

        (await refusal).ShouldBeNull();
    }

    [Theory]
    [InlineData("http.probe", """{ "url": "https://silent.example/" }""", "https://silent.example/ was not asked: this machine's DNS did not say within 10 s where silent.example is.")]
    [InlineData("llm.provider", """{ "timeout": "10s" }""", "practice was not asked: this machine's DNS did not say within 10 s where silent.example is.")]
    public async Task NameThatIsNotResolvedInTime_IsNoFaultOfTheServer(string check, string with, string words)
    {
        var asked = AskAsync(check, JsonSerializer.Deserialize<JsonElement>(with));
        (await _lookedUp.Task).ShouldBe("silent.example");

        Clock.Advance(TimeSpan.FromSeconds(10));

        var result = await asked;
        (result.Verdict, result.Summary).ShouldBe((Verdict.Unknown, words));
    }
}

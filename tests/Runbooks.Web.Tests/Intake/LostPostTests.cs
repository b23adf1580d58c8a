using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Runbooks.Model.Storage;
using Runbooks.Watchdog;

namespace Runbooks.Web.Tests.Intake;

/// <summary>What is not taken in is answered, and somebody is paged: few senders repeat a post that was refused.</summary>
public sealed class LostPostTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    [Fact]
    public async Task OneAlertTooMany_TheOthersAreTakenAndTheLossIsToldAndPagedOnce()
    {
        var answer = await PostAsync("alertmanager", Group(1001));

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var body = await WebHost.JsonOf(answer);
        body.GetProperty("incidents").GetArrayLength().ShouldBe(1000);
        body.GetProperty("lost").GetInt32().ShouldBe(1);
        body.GetProperty("errors")[0].GetProperty("found").GetString().ShouldBe("1001 alerts, of which the first 1000 were read");
        await PostAsync("alertmanager", Group(1001));
        var page = _host.Channel.Sent.ShouldHaveSingleItem();
        page.To.Recipient.ShouldBe("fallback");
        page.Card.Title.ShouldBe("Alerts were not taken in");
        page.Card.Sections[0].Lines[0].ShouldContain("alertmanager");
        _host.Logged.ShouldContain(line => line.Contains("were not taken in"));
    }

    /// <summary>A refused group comes again every five minutes, and its end never.</summary>
    [Theory]
    [InlineData("alertmanager")]
    [InlineData("Grafana")]
    public async Task GroupThatIsTooLarge_WhatIsWholeIsTakenAndTheSenderHearsNoRefusal(string source)
    {
        var answer = await PostAsync(source, Group(900, padding: 2000));

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        var body = await WebHost.JsonOf(answer);
        body.GetProperty("incidents").GetArrayLength().ShouldBeInRange(300, 600);
        body.GetProperty("errors")[0].GetProperty("remedy").GetString()!.ShouldContain("send fewer alerts");
        body.GetProperty("lost").GetInt32().ShouldBeGreaterThan(0);
        body.TryGetProperty("status", out _).ShouldBeFalse();
        _host.Store.All.Count.ShouldBe(body.GetProperty("incidents").GetArrayLength());
        _host.Channel.Sent.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task AlertsThatAreWholeInAnotherPostThatIsTooLarge_AreTaken()
    {
        var answer = await PostAsync("generic", $$"""[{"name":"HighLatency_Cluster_B","labels":{"namespace":"inference","pod":"p0"} }, {"name":"A","summary":"{{new string('x', 1024 * 1024)}}"}]""");

        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var body = await WebHost.JsonOf(answer);
        body.GetProperty("incidents").GetArrayLength().ShouldBe(1);
        body.GetProperty("title").GetString()!.ShouldContain("Send fewer alerts at once");
        body.GetProperty("status").GetInt32().ShouldBe(413);
        _host.Store.All.ShouldHaveSingleItem();
        _host.Channel.Sent.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("generic")]
    [InlineData("alertmanager")]
    public async Task PostThatIsTooLargeAndHasNothingWhole_IsAnsweredAndPaged(string source)
    {
        var answer = await PostAsync(source, $$"""{"name":"A","summary":"{{new string('x', 1024 * 1024)}}"}""");

        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await WebHost.JsonOf(answer)).GetProperty("title").GetString()!.ShouldContain("Nothing of it was taken");
        _host.Channel.Sent.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("generic", "{ oops", 400)]
    [InlineData("generic", """{"status":"firing"}""", 400)]
    [InlineData("generic", """[{"name":"HighLatency_Cluster_B"},7]""", 202)]
    [InlineData("azure-monitor", """{"schemaId":"AzureMonitorMetricAlert","data":{}}""", 400)]
    [InlineData("alertmanager", """{"truncatedAlerts":3,"alerts":[{"labels":{"alertname":"HighLatency_Cluster_B"}}]}""", 202)]
    [InlineData("pigeon", """{"name":"A"}""", 404)]
    public async Task AlertThatIsNotUnderstood_Pages(string source, string body, int status)
    {
        ((int)(await PostAsync(source, body)).StatusCode).ShouldBe(status);

        _host.Channel.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("fallback");
    }

    /// <summary>It was renamed or removed, and the rule names the old one: nobody else would hear of the outage.</summary>
    [Fact]
    public async Task AlertThatNamesARunbookThatIsNotLoaded_IsPagedOnceWhileItFires()
    {
        await PostAsync("generic", """{"name":"Anything","status":"resolved","runbook":"gone"}""");
        _host.Channel.Sent.ShouldBeEmpty();

        var answer = await PostAsync("generic", """{"name":"Anything","runbook":"gone"}""");
        await PostAsync("generic", """{"name":"Anything","runbook":"gone"}""");

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await WebHost.JsonOf(answer)).GetProperty("incidents")[0].GetProperty("outcome").GetString().ShouldBe("ignored");
        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("The alert names the runbook 'gone', which is not loaded.");
    }

    /// <summary>It is JSON in UTF-8, and whoever is told to post that would look for hours.</summary>
    [Fact]
    public async Task CompressedPost_IsRefusedAsThat()
    {
        using var content = new ByteArrayContent([0x1f, 0x8b, 8, 0]) { Headers = { ContentEncoding = { "gzip" } } };

        var answer = await _host.Api.PostAsync(new Uri("api/alerts/generic", UriKind.Relative), content, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await WebHost.JsonOf(answer)).GetProperty("title").GetString().ShouldBe("The post is compressed (Content-Encoding: gzip), and no compressed post is read. Send it uncompressed.");
        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("Send it uncompressed.");
        _host.Logged.ShouldContain(line => line.Contains("Alerts from generic were not taken in: a post that was not read."));
    }

    [Fact]
    public async Task Form_IsRefusedAsThat()
    {
        using var content = new FormUrlEncodedContent([new("payload", """{"name":"A"}""")]);

        var answer = await _host.Api.PostAsync(new Uri("api/alerts/generic", UriKind.Relative), content, TestContext.Current.CancellationToken);

        (await WebHost.JsonOf(answer)).GetProperty("errors")[0].GetProperty("remedy").GetString().ShouldBe(
            "its Content-Type is that of a form (application/x-www-form-urlencoded): post one JSON document as UTF-8, nested at most 64 levels");
    }

    [Theory]
    [InlineData("generic", " ", 400)]
    [InlineData("generic", """{"name":"Nobody waits for this"}""", 202)]
    [InlineData("alertmanager", """{"alerts":[]}""", 400)]
    [InlineData("azure-monitor", """[{"id":"2d","topic":"/subscriptions/s","data":{"validationCode":"5"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-11-25T22:00:00Z"}]""", 400)]
    [InlineData("generic", """{"name":"HighLatency_Cluster_B","status":"FLAPPING"}""", 202)]
    public async Task PostThatLosesNothing_PagesNobody(string source, string body, int status)
    {
        ((int)(await PostAsync(source, body)).StatusCode).ShouldBe(status);

        _host.Channel.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task UnknownStatus_IsToldInTheAnswer()
    {
        var body = await WebHost.JsonOf(await PostAsync("generic", """{"name":"HighLatency_Cluster_B","status":"FLAPPING"}"""));

        body.GetProperty("warnings")[0].ToString().ShouldContain("taken as firing");
        body.GetProperty("incidents")[0].GetProperty("outcome").GetString().ShouldBe("opened");
        body.TryGetProperty("errors", out _).ShouldBeFalse();
    }

    /// <summary>Whoever it never called need not look in Azure Monitor after an outage.</summary>
    [Theory]
    [InlineData("azure-monitor", """{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"/subscriptions/s/alerts/a","alertRule":"Anything","severity":"Sev1","monitorCondition":"Fired","firedDateTime":"2026-11-25T22:00:00Z"}}}""", 1)]
    [InlineData("generic", """{"name":"Anything"}""", 0)]
    public async Task OutageOfMinutes_IsToldWhereAzureMonitorSendsAlerts(string source, string body, int pages)
    {
        (await PostAsync(source, body)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var silence = _host.Get<AzureMonitorSilence>();
        _host.Time.Advance(TimeSpan.FromMinutes(5));
        await silence.RecordAsync(_host.Time.GetUtcNow() - TimeSpan.FromMinutes(3), CancellationToken.None);
        _host.Time.Advance(TimeSpan.FromMinutes(16));

        await silence.RunAsync(CancellationToken.None);

        _host.Channel.Sent.Count.ShouldBe(pages);
    }

    /// <summary>A newer version ran for a while: the sender tries again for a time, and then nobody would know.</summary>
    [Fact]
    public async Task RecordThatThisVersionCannotRead_IsAnswered503AndPaged()
    {
        _host.Store.Fault = () => new JsonException("The JSON value could not be converted to IncidentState.");

        (await PostAsync("generic", """{"name":"HighLatency_Cluster_B"}""")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("a newer version of this program");
    }

    [Fact]
    public async Task LossThatCannotBeRecorded_IsAnswered503()
    {
        _host.State.Fault = () => new StoreUnavailableException("away");

        (await PostAsync("generic", "{ oops")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    /// <summary>The sender waits for its answer, and repeats a 503 alone.</summary>
    [Fact]
    public async Task PostThatStopsInTheMiddle_IsAnswered503AndPaged()
    {
        const string Alert = """{"name":"HighLatency_Cluster_B"}""";
        var address = _host.Api.BaseAddress!;
        using var sender = new TcpClient();
        await sender.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        await using var stream = sender.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST /api/alerts/generic HTTP/1.1\r\nHost: {address.Authority}\r\nX-Api-Key: {WebHost.Key}\r\nTransfer-Encoding: chunked\r\n\r\n{Alert.Length:x}\r\n{Alert}\r\nno chunk\r\n"),
            TestContext.Current.CancellationToken);

        var answer = await new StreamReader(stream).ReadToEndAsync(TestContext.Current.CancellationToken);

        answer.ShouldStartWith("HTTP/1.1 503");
        answer.ShouldContain("Retry-After: 5");
        answer.ShouldContain("Nothing of it was taken. Send it again.");
        _host.Store.All.ShouldBeEmpty();
        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("The post stopped in the middle.");
    }

    [Fact]
    public async Task ChannelThatHangs_DoesNotKeepTheSenderWaiting()
    {
        _host.Channel.Before = TestKit.People.ScriptedChannel.Hang;
        var answer = PostAsync("generic", "{ oops");
        while (!answer.IsCompleted)
        {
            await Task.Yield();
            _host.Time.Advance(TimeSpan.FromMilliseconds(100));
        }

        (await answer).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static string Group(int alerts, int padding = 0) => JsonSerializer.Serialize(new
    {
        status = "firing",
        alerts = Enumerable.Range(0, alerts).Select(n => new
        {
            status = "firing",
            fingerprint = $"f{n}",
            labels = new { alertname = "HighLatency_Cluster_B", @namespace = "inference", pod = $"p{n}" },
            annotations = new { text = new string('x', padding) },
        }),
    });

    private async Task<HttpResponseMessage> PostAsync(string source, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await _host.Api.PostAsync($"/api/alerts/{source}", content, TestContext.Current.CancellationToken);
    }
}

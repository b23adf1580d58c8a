using System.Text.Json.Nodes;
using Azure.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.Notifications;

/// <content>By Azure Communication Services in place of a mail server.</content>
public sealed partial class EmailTests
{
    [Fact]
    public async Task AzureCommunicationServices_GetsTheSameMessageUnderTheSameOperation()
    {
        await using var server = await AnsweringServer.StartAsync();
        var email = Azure(server, """{"id":"x","status":"Succeeded","error":null}""");

        await email.SendAsync(Cards.Approval, s_ada, Cancel);
        await email.SendAsync(Cards.Approval, s_ada, Cancel);
        await email.SendAsync(Cards.Approval with { Key = "mitigation-1:1:ada@email" }, s_ada, Cancel);

        var operations = server.Requests.Where(request => request.Path == "/emails:send").Select(request => request.Headers["Operation-Id"]).ToList();
        operations[0].ShouldBe(operations[1]);
        operations[2].ShouldNotBe(operations[0]);
        Guid.TryParse(operations[0], out _).ShouldBeTrue();
        var first = server.Requests.First();
        first.Path.ShouldBe("/emails:send");
        first.Headers["Authorization"].ShouldBe("Bearer token");
        JsonNode.Parse(first.Body)!["recipients"]!["to"]![0]!["address"]!.ToString().ShouldBe("ada@example.com");
    }

    /// <summary>The answer to the first attempt is lost, or the service is still at it: the next one is the same request.</summary>
    [Fact]
    public async Task AttemptsAtOneMessage_AreOneRequestToAzure()
    {
        await using var server = await AnsweringServer.StartAsync();
        var email = Azure(server, """{"status":"Succeeded"}""");
        var takes = server.Answer;
        var failing = new Queue<int>([503, 409]);
        server.Answer = context =>
        {
            if (context.Request.Method == "POST" && failing.TryDequeue(out var status))
            {
                context.Response.StatusCode = status;
                return Task.CompletedTask;
            }

            return takes(context);
        };

        var card = Cards.Approval with { };
        (await Should.ThrowAsync<DeliveryException>(() => email.SendAsync(card, s_ada, Cancel))).Transient.ShouldBeTrue();
        server.Time.Advance(TimeSpan.FromSeconds(4));
        (await email.SendAsync(card, s_ada, Cancel)).IsHandedOver.ShouldBeFalse("the service said that it has the message, and then that it is sent");
        server.Time.Advance(TimeSpan.FromMinutes(6));
        await email.SendAsync(card with { }, s_ada, Cancel);

        var requests = server.Requests.Where(request => request.Path == "/emails:send").Select(request => (Id: request.Headers["Repeatability-Request-Id"], First: request.Headers["Repeatability-First-Sent"])).ToList();
        requests[0].First.ShouldBe("Mon, 23 Nov 2026 03:12:00 GMT");
        Guid.TryParse(requests[0].Id, out _).ShouldBeTrue();
        requests[1].ShouldBe(requests[0]);
        requests[2].Id.ShouldNotBe(requests[0].Id, "it is asked again, and what the service remembers is over");
        requests[2].First.ShouldStartWith("Mon, 23 Nov 2026 03:18:");
    }

    /// <summary>The service gives a refused request the same answer each time that it knows it again.</summary>
    [Fact]
    public async Task AttemptAfterARefusal_IsAnotherRequestToAzure()
    {
        await using var server = await AnsweringServer.StartAsync();
        var email = Azure(server, """{"status":"Succeeded"}""");
        var takes = server.Answer;
        server.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return Task.CompletedTask;
        };

        var card = Cards.Approval with { };
        (await Should.ThrowAsync<DeliveryException>(() => email.SendAsync(card, s_ada, Cancel))).Transient.ShouldBeTrue();
        server.Time.Advance(TimeSpan.FromSeconds(4));
        server.Answer = takes;
        await email.SendAsync(card, s_ada, Cancel);

        var requests = server.Requests.Where(request => request.Path == "/emails:send").ToList();
        requests.Select(request => request.Headers["Repeatability-Request-Id"]).Distinct().Count().ShouldBe(2);
        requests.Select(request => request.Headers["Repeatability-First-Sent"]).ShouldBe(["Mon, 23 Nov 2026 03:12:00 GMT", "Mon, 23 Nov 2026 03:12:04 GMT"]);
        requests.Select(request => request.Headers["Operation-Id"]).Distinct().ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("""{"status":"Succeeded"}""", false)]
    [InlineData("""{"status":"Running"}""", true)]
    [InlineData("not json", true)]
    public async Task MailThatAzureTook_HasGoneOutOnlyWhenItSaysSo(string said, bool handedOver)
    {
        await using var server = await AnsweringServer.StartAsync();

        (await Azure(server, said).SendAsync(Cards.Approval, s_ada, Cancel)).IsHandedOver.ShouldBe(handedOver);

        var look = server.Requests.Last();
        look.Path.ShouldBe($"/emails/operations/{server.Requests.First().Headers["Operation-Id"]}");
        look.Headers["Authorization"].ShouldBe("Bearer token");
    }

    [Fact]
    public async Task MailThatAzureTookAndCouldNotSend_HasFailed()
    {
        await using var server = await AnsweringServer.StartAsync();

        (await Should.ThrowAsync<DeliveryException>(() => Azure(server, """{"status":"Failed","error":{"code":"EmailDroppedAllRecipientsSuppressed","message":"x"}}""").SendAsync(Cards.Approval, s_ada, Cancel)))
            .Message.ShouldBe("Azure Communication Services could not send it (EmailDroppedAllRecipientsSuppressed).");
    }

    /// <summary>Takes every mail as the service does, and says this of what became of it.</summary>
    private static INotifier Azure(AnsweringServer server, string said)
    {
        server.Answer = context =>
        {
            var takes = context.Request.Method == "POST";
            context.Response.StatusCode = takes ? 202 : 200;
            if (takes)
            {
                context.Response.Headers["Operation-Location"] = $"{server.Url}/emails/operations/{context.Request.Headers["Operation-Id"]}?api-version=2023-03-31";
            }

            return context.Response.WriteAsync(takes ? $$"""{"id":"{{context.Request.Headers["Operation-Id"]}}","status":"Running","error":null}""" : said);
        };
        return server.Channel(
            "email",
            services => services.AddSingleton<TokenCredential>(new FixedToken()).AddSingleton<TimeProvider>(new SkippingTime(server.Time, longest: TimeSpan.FromSeconds(4))).AddEmail(),
            ("Email:AcsEndpoint", server.Url), ("Email:From", "runbooks@example.com"));
    }
}

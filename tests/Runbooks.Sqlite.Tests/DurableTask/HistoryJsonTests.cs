using System.Text;
using DurableTask.Core;
using DurableTask.Core.History;
using DurableTask.Core.Tracing;
using Runbooks.Sqlite.DurableTask;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class HistoryJsonTests
{
    private const string Text = "</script>\u0000 \"ünï\" 日本語 😀 \u2028\n";
    private static readonly DateTime s_time = new DateTime(2026, 11, 23, 3, 4, 5, DateTimeKind.Utc).AddTicks(1_234_567);

    public static TheoryData<HistoryEvent> Events =>
    [
        new OrchestratorStartedEvent(-1),
        new OrchestratorCompletedEvent(-1),
        new ExecutionStartedEvent(-1, Text)
        {
            Name = "n", Version = "v", OrchestrationInstance = new OrchestrationInstance { InstanceId = Text, ExecutionId = "e" },
            Tags = new Dictionary<string, string> { ["a"] = Text }, ScheduledStartTime = s_time, Generation = 3, GenerateNewTrace = true, Correlation = "c",
            ParentTraceContext = new DistributedTraceContext("p", "s") { Id = "i", SpanId = "x", ActivityStartTime = new DateTimeOffset(s_time) },
        },
        new ExecutionCompletedEvent(4, Text, OrchestrationStatus.Failed, Failure()),
        new ExecutionCompletedEvent(4, null, OrchestrationStatus.Terminated),
        new ContinueAsNewEvent(4, Text),
        new ExecutionTerminatedEvent(-1, Text),
        new ExecutionSuspendedEvent(-1, Text),
        new ExecutionResumedEvent(-1, null),
        new TaskScheduledEvent(0, "n", "v", Text) { Tags = new Dictionary<string, string> { ["a"] = "b" } },
        new TaskScheduledEvent(7, "n"),
        new TaskCompletedEvent(-1, 7, Text),
        new TaskCompletedEvent(-1, 7, null),
        new TaskFailedEvent(-1, 7, Text, "details", Failure()),
        new TimerCreatedEvent(3, s_time),
        new TimerCreatedEvent(3, DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)),
        new TimerFiredEvent(-1, s_time) { TimerId = 3 },
        new EventSentEvent(2) { InstanceId = "i", Name = Text, Input = Text },
        new EventRaisedEvent(-1, Text) { Name = "n" },
    ];

    [Theory]
    [MemberData(nameof(Events), DisableDiscoveryEnumeration = true)]
    public void Event_ComesBackAsItWent(HistoryEvent happened)
    {
        happened.Timestamp = s_time;

        var read = HistoryJson.Read(happened.EventType.ToString(), HistoryJson.Write(happened));

        read.ShouldBeOfType(happened.GetType());
        Newtonsoft.Json.JsonConvert.SerializeObject(read).ShouldBe(Newtonsoft.Json.JsonConvert.SerializeObject(happened));
        read.Timestamp.Kind.ShouldBe(DateTimeKind.Utc);
    }

    /// <summary>Rows of the versions before are read by this one, and the other way round.</summary>
    [Fact]
    public void Events_AreWrittenAsTheyAlwaysWere() => string.Join('\n', Events.Select(row =>
    {
        row.Data.Timestamp = s_time;
        return $"{row.Data.EventType} {Encoding.UTF8.GetString(HistoryJson.Write(row.Data))}".Replace("""</script>\u0000 \"ünï\" 日本語 \uD83D\uDE00 \u2028\n""", "TEXT", StringComparison.Ordinal).Replace($"{s_time.Ticks}", "TIME", StringComparison.Ordinal);
    })).ShouldBe("""
        OrchestratorStarted {"at":TIME}
        OrchestratorCompleted {"at":TIME}
        ExecutionStarted {"at":TIME,"instance":"TEXT","execution":"e","name":"n","version":"v","input":"TEXT","correlation":"c","tags":{"a":"TEXT"},"trace":{"parent":"p","state":"s","id":"i","span":"x","start":TIME},"scheduled":TIME,"generation":3,"newTrace":true}
        ExecutionCompleted {"id":4,"at":TIME,"status":"Failed","result":"TEXT","failure":{"type":"System.IO.IOException","message":"TEXT","stack":"at X","inner":{"type":"T","message":"inner","nonRetriable":true}}}
        ExecutionCompleted {"id":4,"at":TIME,"status":"Terminated"}
        ContinueAsNew {"id":4,"at":TIME,"status":"ContinuedAsNew","result":"TEXT"}
        ExecutionTerminated {"at":TIME,"input":"TEXT"}
        ExecutionSuspended {"at":TIME,"reason":"TEXT"}
        ExecutionResumed {"at":TIME}
        TaskScheduled {"id":0,"at":TIME,"name":"n","version":"v","input":"TEXT","tags":{"a":"b"}}
        TaskScheduled {"id":7,"at":TIME,"name":"n"}
        TaskCompleted {"at":TIME,"task":7,"result":"TEXT"}
        TaskCompleted {"at":TIME,"task":7}
        TaskFailed {"at":TIME,"task":7,"reason":"TEXT","details":"details","failure":{"type":"System.IO.IOException","message":"TEXT","stack":"at X","inner":{"type":"T","message":"inner","nonRetriable":true}}}
        TimerCreated {"id":3,"at":TIME,"fireAt":TIME}
        TimerCreated {"id":3,"at":TIME,"fireAt":3155378975999999999}
        TimerFired {"at":TIME,"timer":3,"fireAt":TIME}
        EventSent {"id":2,"at":TIME,"instance":"i","name":"TEXT","input":"TEXT"}
        EventRaised {"at":TIME,"name":"n","input":"TEXT"}
        """);

    [Theory]
    [InlineData("TaskCompleted", "{")]
    [InlineData("TaskCompleted", "{\"at\":1}")]
    [InlineData("TaskCompleted", "{\"at\":1,\"task\":\"x\"}")]
    [InlineData("TaskCompleted", "[]")]
    [InlineData("TaskCompleted", "null")]
    [InlineData("Whatever", "{\"at\":1}")]
    [InlineData("SubOrchestrationInstanceCreated", "{\"at\":1}")]
    [InlineData("ExecutionCompleted", "{\"at\":1,\"status\":\"Odd\"}")]
    public void WhatCannotBeRead_IsNeverTakenForSomethingElse(string kind, string json) =>
        Should.Throw<InvalidDataException>(() => HistoryJson.Read(kind, Encoding.UTF8.GetBytes(json)));

    private static FailureDetails Failure() => new("System.IO.IOException", Text, "at X", new FailureDetails("T", "inner", null, null, true), false);
}
